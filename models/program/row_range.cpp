#include "models/program/row_range.h"

#include <string>

namespace wan::models {
namespace {

Result<std::size_t> check_row(std::int64_t row, std::string_view name, std::size_t row_count) {
  if (row >= 0 && static_cast<std::uint64_t>(row) <= row_count) return static_cast<std::size_t>(row);
  return fail(ErrorCode::kBadInput, std::string{name} + " " + std::to_string(row) + " is outside the traffic's " +
                                        std::to_string(row_count) + " rows");
}

}  // namespace

Result<RowRange> check_rows(std::int64_t from, std::string_view from_name, std::int64_t to, std::string_view to_name,
                            std::size_t row_count) {
  const auto first = check_row(from, from_name, row_count);
  if (!first) return tl::unexpected{first.error()};
  const auto end = to == kToTheEnd ? Result<std::size_t>{row_count} : check_row(to, to_name, row_count);
  if (!end) return tl::unexpected{end.error()};
  if (*first >= *end) {
    return fail(ErrorCode::kBadInput, "rows [" + std::to_string(*first) + ", " + std::to_string(*end) +
                                          ") hold nothing: the traffic has " + std::to_string(row_count) + " rows");
  }
  return RowRange{.from = *first, .to = *end};
}

}  // namespace wan::models
