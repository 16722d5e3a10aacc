#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/units.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

inline constexpr std::size_t kHelloBytes = 60;

/// A sign of life to the router at the other end of a link; `heard` says whether its own have been arriving.
[[nodiscard]] std::array<std::uint8_t, kHelloBytes> hello_frame(const MacAddress& own, bool heard);

enum class HelloKind { kNone, kNotHeard, kHeard };
/// What a frame that starts at its Ethernet header says; `kNone`: it is no hello of this version.
[[nodiscard]] HelloKind parse_hello(std::span<const std::uint8_t> frame);

struct HelloOptions {
  Duration interval{std::chrono::milliseconds{10}};
  int misses = 4;  ///< hellos that fail to come before the link counts as dead
};

/// Whether packets get through to a neighbour and back: up once each end hears the other, down after `misses` missing
/// hellos or when the neighbour says that it hears nothing.
///
/// A call finds one hello missing at most, however late it comes: silence during which nobody listened says nothing
/// about the neighbour. A machine that stops as a whole for a second therefore loses no link. Threads: one owner.
class HelloMonitor {
 public:
  explicit HelloMonitor(const HelloOptions& options) : options_{options} {}

  /// @param newest       the last hello that came, kNone if none ever did
  /// @param received_at  when the newest frame of any kind came
  /// @param listened     until when frames that came were taken in
  void check(HelloKind newest, Duration received_at, Duration listened);
  /// For `hello_frame`.
  [[nodiscard]] bool heard() const { return heard_; }
  [[nodiscard]] bool up() const { return up_; }

 private:
  HelloOptions options_;
  Duration listened_{-1};
  Duration received_at_{0};
  Duration silent_{0};
  bool heard_ = false;
  bool up_ = false;
};

}  // namespace wan::dataplane
