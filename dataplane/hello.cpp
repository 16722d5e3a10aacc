#include "dataplane/hello.h"

#include <algorithm>

#include "dataplane/big_endian.h"

namespace wan::dataplane {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::uint16_t kHelloType = 0x88b5;
constexpr std::array<std::uint8_t, 4> kMagic{'A', 'W', 'H', 'L'};
constexpr std::uint8_t kVersion = 1;
constexpr MacAddress kGroup{0x03, 0x00, 0x00, 0x41, 0x57, 0x01};  // locally administered, to a group

}  // namespace

std::array<std::uint8_t, kHelloBytes> hello_frame(const MacAddress& own, bool heard) {
  std::array<std::uint8_t, kHelloBytes> frame{};
  std::copy(kGroup.begin(), kGroup.end(), frame.begin());
  std::copy(own.begin(), own.end(), frame.begin() + 6);
  store_be16(frame.data() + 12, kHelloType);
  std::copy(kMagic.begin(), kMagic.end(), frame.begin() + kEthernetBytes);
  frame[kEthernetBytes + 4] = kVersion;
  frame[kEthernetBytes + 5] = heard ? 1 : 0;
  return frame;
}

HelloKind parse_hello(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetBytes + 6 || load_be16(frame.data() + 12) != kHelloType) return HelloKind::kNone;
  const auto body = frame.subspan(kEthernetBytes);
  if (!std::equal(kMagic.begin(), kMagic.end(), body.begin()) || body[4] != kVersion) return HelloKind::kNone;
  return body[5] == 1 ? HelloKind::kHeard : HelloKind::kNotHeard;
}

void HelloMonitor::check(HelloKind newest, Duration received_at, Duration now) {
  const Duration patience = options_.interval * options_.misses;
  // Hellos that waited unread while we were held up are no sign of a dead link.
  if (last_check_.count() >= 0) {
    const Duration late = now - last_check_ - options_.interval;
    allowance_ = std::max(Duration{0}, allowance_ - (now - last_check_));
    if (late > Duration{0}) allowance_ = std::min(allowance_ + late, patience);
  }
  last_check_ = now;
  heard_ = newest != HelloKind::kNone && now - received_at < patience + allowance_;
  up_ = heard_ && newest == HelloKind::kHeard;
}

}  // namespace wan::dataplane
