#include "core/ip_address.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace wan {
namespace {

/// A number in the given base, all of `text`, at most `max`.
std::optional<unsigned> parse_whole(std::string_view text, int base, unsigned max) {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = i == 3 ? text.size() : text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    const auto value = parse_whole(part, 10, 255);
    if (!value || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  if (!text.empty()) return std::nullopt;
  return bytes;
}

/// Groups between colons, appended as bytes; the last one may be an IPv4 address.
bool append_groups(std::string_view text, bool may_end_in_v4, std::vector<std::uint8_t>& bytes) {
  if (text.empty()) return true;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && may_end_in_v4 && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4) return false;
      bytes.insert(bytes.end(), v4->begin(), v4->end());
      return true;
    }
    const auto value = parse_whole(group, 16, 0xffff);
    if (!value || group.size() > 4) return false;
    bytes.push_back(static_cast<std::uint8_t>(*value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(*value & 0xff));
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
  }
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  constexpr std::size_t kTextMax = 45;
  if (text.size() > kTextMax) return std::nullopt;
  std::vector<std::uint8_t> head, tail;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (text.empty() || !append_groups(text, true, head) || head.size() != 16) return std::nullopt;
  } else {
    if (!append_groups(text.substr(0, gap), false, head) || !append_groups(text.substr(gap + 2), true, tail) ||
        head.size() + tail.size() > 14) {
      return std::nullopt;
    }
  }
  std::array<std::uint8_t, 16> bytes{};
  std::copy(head.begin(), head.end(), bytes.begin());
  std::copy_backward(tail.begin(), tail.end(), bytes.end());
  return bytes;
}

/// The first longest run of at least two zero groups: where `::` stands. {8, 0} when there is none.
std::pair<std::size_t, std::size_t> longest_zero_run(const std::array<unsigned, 8>& groups) {
  std::size_t best_first = 8, best_length = 1;
  for (std::size_t first = 0; first < 8; ++first) {
    std::size_t length = 0;
    while (first + length < 8 && groups[first + length] == 0) ++length;
    if (length > best_length) {
      best_first = first;
      best_length = length;
    }
  }
  return {best_first, best_first == 8 ? 0 : best_length};
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = (unsigned{bytes[2 * i]} << 8) | bytes[2 * i + 1];
  const auto [gap, gap_length] = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < 8;) {
    if (i == gap) {
      text += "::";
      i += gap_length;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    std::array<char, 8> digits{};
    const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16);
    text.append(digits.data(), end);
    ++i;
  }
  return text;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bytes = parse_v4(text);
    return bytes ? std::optional{v4(*bytes)} : std::nullopt;
  }
  const auto bytes = parse_v6(text);
  return bytes ? std::optional{v6(*bytes)} : std::nullopt;
}

IpAddress IpAddress::masked(std::size_t count) const {
  IpAddress result = *this;
  for (std::size_t i = 0; i < size(); ++i) {
    const std::size_t kept = std::min<std::size_t>(count, 8);
    result.bytes_[i] = static_cast<std::uint8_t>(result.bytes_[i] & (0xff00U >> kept));
    count -= kept;
  }
  return result;
}

std::string IpAddress::to_string() const {
  if (is_v6()) return v6_text(bytes_);
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) text.append(i == 0 ? "" : ".").append(std::to_string(bytes_[i]));
  return text;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned bits = static_cast<unsigned>(address->size() * 8);
  const auto length =
      slash == std::string_view::npos ? std::optional{bits} : parse_whole(text.substr(slash + 1), 10, bits);
  if (!length || address->masked(*length) != *address) return std::nullopt;
  return IpPrefix{*address, static_cast<std::uint8_t>(*length)};
}

std::string IpPrefix::to_string() const { return address.to_string().append("/").append(std::to_string(length)); }

}  // namespace wan
