#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wan {

/// An IPv4 or IPv6 address. Orders IPv4 before IPv6, then by bytes.
class IpAddress {
 public:
  enum class Family : std::uint8_t { kV4 = 4, kV6 = 6 };

  constexpr IpAddress() = default;  ///< 0.0.0.0
  [[nodiscard]] static constexpr IpAddress v4(std::array<std::uint8_t, 4> bytes) {
    IpAddress address;
    for (std::size_t i = 0; i < 4; ++i) address.bytes_[i] = bytes[i];
    return address;
  }
  [[nodiscard]] static constexpr IpAddress v6(const std::array<std::uint8_t, 16>& bytes) {
    IpAddress address;
    address.family_ = Family::kV6;
    address.bytes_ = bytes;
    return address;
  }
  /// Reads `192.0.2.1` or `2001:db8::1` (also `::ffff:192.0.2.1`); no zone, no leading zeros in IPv4.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_v6() const { return family_ == Family::kV6; }
  [[nodiscard]] constexpr std::size_t size() const { return is_v6() ? 16 : 4; }
  /// In network order; an IPv4 address is the first four, the others are zero.
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  /// The first `count` bits kept, the others zero; all when `count` is beyond the address.
  [[nodiscard]] IpAddress masked(std::size_t count) const;

  /// As RFC 5952 writes it.
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::kV4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// Addresses that share their first `length` bits; bits beyond are zero.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  /// Reads `10.0.0.0/8`; an address without a length is one host.
  /// Nothing when bits beyond the length are set.
  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const {
    return other.family() == address.family() && other.masked(length) == address;
  }
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

}  // namespace wan
