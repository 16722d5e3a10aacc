#include "core/time.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace wan {
namespace {

/// Takes exactly `digits` decimal digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_character(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// The `Z` or `+hh:mm` after a time of day; nothing means UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (text.empty() || text == "Z") return std::chrono::minutes{0};
  const bool east = text.front() == '+';
  if (!east && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  take_character(text, ':');
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return east ? offset : -offset;
}

std::optional<Timestamp> parse_unix_seconds(std::string_view text) {
  constexpr long long kYear9999 = 253402300799;
  long long seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > kYear9999) {
    return std::nullopt;
  }
  return Timestamp{std::chrono::seconds{seconds}};
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  if (text.find('-') == std::string_view::npos) return parse_unix_seconds(text);

  const auto year = take_number(text, 4);
  if (!year || !take_character(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_character(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  if (text.empty()) return Timestamp{std::chrono::sys_days{date}};

  if (!take_character(text, 'T') && !take_character(text, ' ')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take_character(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute) return std::nullopt;
  std::optional<int> second = 0;
  if (take_character(text, ':')) second = take_number(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second} - *offset;
}

std::string format_timestamp(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 48> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Duration SteadyClock::now() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace wan
