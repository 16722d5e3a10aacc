#include "core/io/quantity_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <span>

#include "core/io/message_text.h"
#include "core/io/number_text.h"

namespace wan::io {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kRates{Unit{"bit/s", 1.0}, Unit{"kbit/s", 1e3}, Unit{"Mbit/s", 1e6}, Unit{"Gbit/s", 1e9},
                            Unit{"Tbit/s", 1e12}};
constexpr std::array kTimes{Unit{"ns", 1.0}, Unit{"us", 1e3},   Unit{"ms", 1e6},   Unit{"s", 1e9},
                            Unit{"m", 60e9}, Unit{"min", 60e9}, Unit{"h", 3600e9}, Unit{"d", 86400e9}};
constexpr std::array kSizes{Unit{"B", 1.0},      Unit{"kB", 1e3},        Unit{"MB", 1e6},          Unit{"GB", 1e9},
                            Unit{"KiB", 1024.0}, Unit{"MiB", 1048576.0}, Unit{"GiB", 1073741824.0}};

/// `NUMBER UNIT`, with or without space between them, in the smallest unit.
std::optional<double> parse_quantity(std::string_view text, std::span<const Unit> units) {
  text = trimmed(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789.+-eE"), text.size());
  const auto value = parse_number(trimmed(text.substr(0, digits)));
  const std::string_view name = trimmed(text.substr(digits));
  if (!value || !std::isfinite(*value)) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == name) return *value * unit.factor;
  }
  return std::nullopt;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
  std::string number{text.data(), static_cast<std::size_t>(length)};
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
  }
  return number;
}

/// In the largest of these units that leaves at least 1; `units` rise.
std::string format_quantity(double value, std::span<const Unit> units) {
  const Unit* fitting = &units.front();
  for (const Unit& unit : units) {
    if (std::fabs(value) >= unit.factor * 0.9995) fitting = &unit;
  }
  return short_number(value / fitting->factor).append(" ").append(fitting->name);
}

}  // namespace

std::optional<BitRate> parse_bit_rate(std::string_view text) {
  const auto bps = parse_quantity(text, kRates);
  if (!bps || *bps <= 0.0 || *bps > 1e18) return std::nullopt;
  return BitRate::bps(*bps);
}

std::optional<Duration> parse_duration(std::string_view text) {
  const auto nanoseconds = parse_quantity(text, kTimes);
  if (!nanoseconds || *nanoseconds < 0.0 || *nanoseconds > 86400e9 * 10'000) return std::nullopt;
  return Duration{std::llround(*nanoseconds)};
}

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  const auto bytes = parse_quantity(text, kSizes);
  if (!bytes || *bytes < 0.0 || *bytes > 1e15 || *bytes != std::floor(*bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

std::string format_bit_rate(BitRate rate) { return format_quantity(rate.bps(), kRates); }

std::string format_duration(Duration time) {
  constexpr std::array kShown{Unit{"ns", 1.0},   Unit{"us", 1e3},   Unit{"ms", 1e6},   Unit{"s", 1e9},
                              Unit{"min", 60e9}, Unit{"h", 3600e9}, Unit{"d", 86400e9}};
  return format_quantity(static_cast<double>(time.count()), kShown);
}

}  // namespace wan::io
