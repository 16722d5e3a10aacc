#include "core/io/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/io/message_text.h"

namespace wan::io {
namespace {

/// Decimal digits d.ddd x 10^exponent, written plainly where that is no longer than people expect.
std::string decimal_text(std::string_view digits, int exponent) {
  const auto whole = static_cast<std::size_t>(std::max(exponent, 0)) + 1;  // digits before the point
  if (exponent < -7 || exponent > 17) {
    const std::string_view point = digits.size() > 1 ? "." : "";
    return joined(digits.substr(0, 1), point, digits.substr(1), "e") + std::to_string(exponent);
  }
  if (exponent < 0) return joined("0.", std::string(static_cast<std::size_t>(-exponent - 1), '0'), digits);
  if (digits.size() <= whole) return joined(digits, std::string(whole - digits.size(), '0'));
  return joined(digits.substr(0, whole), ".", digits.substr(whole));
}

/// Reads a whole number with or without sign.
std::optional<int> parse_exponent(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr int kBeyondAnyDouble = 100'000;
  if (error != std::errc{} || end != text.data() + text.size() || std::abs(value) > kBeyondAnyDouble)
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> parse_number(std::string_view token, int shift) {
  std::string shifted;
  if (shift != 0) {
    const std::size_t e = std::min(token.find_first_of("eE"), token.size());
    const auto exponent = e < token.size() ? parse_exponent(token.substr(e + 1)) : std::optional{0};
    if (!exponent) return std::nullopt;
    shifted.append(token.substr(0, e)).append("e").append(std::to_string(*exponent + shift));
    token = shifted;
  }
  double value = 0.0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc{} || end != token.data() + token.size() || !std::isfinite(value)) return std::nullopt;
  return value + 0.0;  // no negative zero
}

std::string format_number(double value, int shift) {
  std::array<char, 64> text{};
  char* const last = text.data() + text.size();
  if (shift == 0) return std::string(text.data(), std::to_chars(text.data(), last, value).ptr);
  if (value == 0.0) return "0";
  const char* const end = std::to_chars(text.data(), last, std::abs(value), std::chars_format::scientific).ptr;
  const std::string_view scientific{text.data(), static_cast<std::size_t>(end - text.data())};
  const std::size_t e = scientific.find('e');
  std::string digits{scientific.substr(0, e)};
  std::erase(digits, '.');
  const std::string magnitude = decimal_text(digits, parse_exponent(scientific.substr(e + 1)).value_or(0) - shift);
  return value < 0.0 ? joined("-", magnitude) : magnitude;
}

std::optional<std::size_t> parse_count(std::string_view token) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

}  // namespace wan::io
