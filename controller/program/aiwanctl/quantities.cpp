#include "controller/program/aiwanctl/quantities.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/io/quantity_text.h"

namespace wan::aiwanctl {
namespace {

constexpr double kWarningUtilization = 0.7, kFullUtilization = 1.0;

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 399))};
}

}  // namespace

std::string shown_rate(const Json& bps) {
  const auto value = number_of(bps);
  return value ? io::format_bit_rate(BitRate::bps(*value)) : "-";
}

std::string shown_percent(const Json& share) {
  const auto value = number_of(share);
  return value ? fixed(*value * 100.0, 1).append(" %") : "-";
}

std::string shown_seconds(const Json& seconds) {
  const auto value = number_of(seconds);
  if (!value) return "-";
  constexpr double kSecondsMax = 9e9;  // what nanoseconds in 64 bits hold
  const double within = std::clamp(*value, -kSecondsMax, kSecondsMax);
  return io::format_duration(Duration{std::llround(within * 1e9)});
}

std::string shown_milliseconds(const Json& milliseconds) {
  const auto value = number_of(milliseconds);
  return value ? shown_seconds(Json(*value / 1e3)) : "-";
}

std::string shown_count(const Json& count, std::string_view unit) {
  const auto value = number_of(count);
  if (!value) return "-";
  return shown(count).append(" ").append(unit).append(*value == 1.0 ? "" : "s");
}

Tone tone_of_utilization(const Json& share) {
  const auto value = number_of(share);
  if (!value) return Tone::kFaint;
  return *value >= kFullUtilization ? Tone::kBad : *value >= kWarningUtilization ? Tone::kWarning : Tone::kGood;
}

std::string bar(double share, std::size_t width) {
  constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double filled = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  const auto eighths = static_cast<std::size_t>(std::llround(filled * 8.0 * static_cast<double>(width)));
  std::string out;
  for (std::size_t cell = 0; cell < eighths / 8; ++cell) out += "█";
  out += kEighths[eighths % 8];
  const std::size_t used = eighths / 8 + (eighths % 8 != 0 ? 1 : 0);
  return out.append(width - used, ' ');
}

}  // namespace wan::aiwanctl
