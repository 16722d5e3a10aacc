#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"

namespace wan::models {

/// The rows [from, to) that a user asked for, checked against what the file holds.
struct RowRange {
  std::size_t from = 0;
  std::size_t to = 0;
  bool operator==(const RowRange&) const = default;
};

/// @param from, to    as written; `to` is kToTheEnd when its option was not given
/// @param from_name   the option to blame, e.g. "--score-from"
/// @error kBadInput: a row outside [0, row_count], or an empty range
[[nodiscard]] Result<RowRange> check_rows(std::int64_t from, std::string_view from_name, std::int64_t to,
                                          std::string_view to_name, std::size_t row_count);

/// What `to` is when its option is not given.
inline constexpr std::int64_t kToTheEnd = INT64_MIN;

}  // namespace wan::models
