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

void HelloMonitor::check(HelloKind newest, Duration received_at, Duration listened) {
  const Duration since_last = listened_.count() < 0 ? Duration{0} : std::max(Duration{0}, listened - listened_);
  listened_ = std::max(listened_, listened);
  const Duration unheard = std::min(since_last, options_.interval);
  silent_ =
      received_at > received_at_ ? std::min(unheard, std::max(Duration{0}, listened - received_at)) : silent_ + unheard;
  received_at_ = received_at;
  heard_ = newest != HelloKind::kNone && silent_ < options_.interval * options_.misses;
  up_ = heard_ && newest == HelloKind::kHeard;
}

}  // namespace wan::dataplane
