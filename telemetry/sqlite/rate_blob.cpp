#include "telemetry/sqlite/rate_blob.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace wan::telemetry {
namespace {

constexpr char kDense = 0, kSparse = 1;
constexpr std::size_t kWord = 4;

void append_word(std::string& out, std::uint32_t word) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(static_cast<unsigned char>(word >> shift));
}

void append_float(std::string& out, double value) {
  append_word(out, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
}

std::uint32_t word_at(std::string_view blob, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < kWord; ++i) {
    word |= std::uint32_t{static_cast<unsigned char>(blob[at + i])} << (8 * i);
  }
  return word;
}

double float_at(std::string_view blob, std::size_t at) {
  return static_cast<double>(std::bit_cast<float>(word_at(blob, at)));
}

}  // namespace

std::string to_rate_blob(std::span<const double> values) {
  const auto non_zero =
      static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [](double value) { return value != 0.0; }));
  const bool sparse = 2 * non_zero < values.size();
  std::string blob;
  blob.reserve(1 + kWord * (sparse ? 2 * non_zero : values.size()));
  blob += sparse ? kSparse : kDense;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (sparse && values[i] == 0.0) continue;
    if (sparse) append_word(blob, static_cast<std::uint32_t>(i));
    append_float(blob, values[i]);
  }
  return blob;
}

Result<std::vector<double>> from_rate_blob(std::string_view blob, std::size_t count) {
  std::vector<double> values(count, 0.0);
  const bool dense = !blob.empty() && blob.front() == kDense && blob.size() == 1 + kWord * count;
  const bool sparse = !blob.empty() && blob.front() == kSparse && blob.size() % (2 * kWord) == 1 &&
                      blob.size() <= 1 + 2 * kWord * count;
  if (!dense && !sparse) return fail(ErrorCode::kBadInput, "history: rates of another form or length");
  if (dense) {
    for (std::size_t i = 0; i < count; ++i) values[i] = float_at(blob, 1 + kWord * i);
    return values;
  }
  for (std::size_t at = 1; at < blob.size(); at += 2 * kWord) {
    const std::size_t position = word_at(blob, at);
    if (position >= count) return fail(ErrorCode::kBadInput, "history: a rate of a place that does not exist");
    values[position] = float_at(blob, at + kWord);
  }
  return values;
}

}  // namespace wan::telemetry
