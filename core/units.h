#pragma once

#include <chrono>
#include <cmath>
#include <compare>
#include <cstdint>

namespace wan {

using Duration = std::chrono::nanoseconds;

/// An amount of data. Whole bytes, never negative.
class ByteCount {
 public:
  constexpr ByteCount() = default;
  [[nodiscard]] static constexpr ByteCount bytes(std::uint64_t count) { return ByteCount{count}; }
  [[nodiscard]] constexpr std::uint64_t count() const { return count_; }

  friend constexpr auto operator<=>(ByteCount, ByteCount) = default;
  friend constexpr ByteCount operator+(ByteCount a, ByteCount b) { return ByteCount{a.count_ + b.count_}; }
  constexpr ByteCount& operator+=(ByteCount other) { return *this = *this + other; }

 private:
  explicit constexpr ByteCount(std::uint64_t count) : count_{count} {}
  std::uint64_t count_ = 0;
};

/// A rate of data in bits per second: a link's capacity, a demand, a load.
class BitRate {
 public:
  constexpr BitRate() = default;
  [[nodiscard]] static constexpr BitRate bps(double value) { return BitRate{value}; }
  [[nodiscard]] static constexpr BitRate kbps(double value) { return BitRate{value * 1e3}; }
  [[nodiscard]] static constexpr BitRate mbps(double value) { return BitRate{value * 1e6}; }
  [[nodiscard]] static constexpr BitRate gbps(double value) { return BitRate{value * 1e9}; }

  [[nodiscard]] constexpr double bps() const { return bps_; }
  [[nodiscard]] constexpr double mbps() const { return bps_ / 1e6; }
  [[nodiscard]] constexpr double gbps() const { return bps_ / 1e9; }

  friend constexpr auto operator<=>(BitRate, BitRate) = default;
  friend constexpr BitRate operator+(BitRate a, BitRate b) { return BitRate{a.bps_ + b.bps_}; }
  friend constexpr BitRate operator-(BitRate a, BitRate b) { return BitRate{a.bps_ - b.bps_}; }
  friend constexpr BitRate operator*(BitRate a, double factor) { return BitRate{a.bps_ * factor}; }
  friend constexpr BitRate operator*(double factor, BitRate a) { return a * factor; }
  friend constexpr double operator/(BitRate a, BitRate b) { return a.bps_ / b.bps_; }
  constexpr BitRate& operator+=(BitRate other) { return *this = *this + other; }

 private:
  explicit constexpr BitRate(double value) : bps_{value} {}
  double bps_ = 0.0;
};

/// The mean rate of an amount moved within a time; the time must be above zero.
[[nodiscard]] constexpr BitRate operator/(ByteCount amount, Duration time) {
  return BitRate::bps(static_cast<double>(amount.count()) * 8.0 * 1e9 / static_cast<double>(time.count()));
}

/// The amount that a rate moves within a time, rounded to the nearest byte.
[[nodiscard]] inline ByteCount operator*(BitRate rate, Duration time) {
  return ByteCount::bytes(
      static_cast<std::uint64_t>(std::llround(rate.bps() / 8.0 * static_cast<double>(time.count()) / 1e9)));
}

[[nodiscard]] constexpr double to_milliseconds(Duration time) { return static_cast<double>(time.count()) / 1e6; }
[[nodiscard]] constexpr double to_seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }

}  // namespace wan
