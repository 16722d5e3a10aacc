#include "dataplane/neighbor_messages.h"

#include <algorithm>
#include <array>

#include "dataplane/big_endian.h"

namespace wan::dataplane {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::uint16_t kEtherArp = 0x0806, kEtherIpv6 = 0x86dd;
constexpr std::uint8_t kIcmpv6 = 58, kSolicitation = 135, kAdvertisement = 136;
constexpr std::uint8_t kSourceLinkLayer = 1, kTargetLinkLayer = 2;
constexpr std::uint8_t kRouterFlag = 0x80, kSolicitedFlag = 0x40, kOverrideFlag = 0x20;
constexpr std::array<std::uint8_t, 13> kSolicitedNodeGroup{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

IpAddress v4_at(const std::uint8_t* at) { return IpAddress::v4({at[0], at[1], at[2], at[3]}); }
IpAddress v6_at(const std::uint8_t* at) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(at, 16, bytes.begin());
  return IpAddress::v6(bytes);
}
MacAddress mac_at(const std::uint8_t* at) {
  MacAddress mac{};
  std::copy_n(at, 6, mac.begin());
  return mac;
}
void append(std::vector<std::uint8_t>& frame, std::span<const std::uint8_t> bytes) {
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

bool is_solicited_node_group(const IpAddress& address) {
  return std::equal(kSolicitedNodeGroup.begin(), kSolicitedNodeGroup.end(), address.bytes().begin());
}

std::vector<std::uint8_t> ethernet(const MacAddress& to, const MacAddress& from, std::uint16_t type) {
  std::vector<std::uint8_t> frame;
  append(frame, to);
  append(frame, from);
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type));
  return frame;
}

std::optional<NeighborMessage> parse_arp(std::span<const std::uint8_t> frame) {
  constexpr std::array<std::uint8_t, 6> kEthernetIpv4{0, 1, 8, 0, 6, 4};
  const auto arp = frame.subspan(kEthernetBytes);
  if (arp.size() < 28 || !std::equal(kEthernetIpv4.begin(), kEthernetIpv4.end(), arp.begin())) return std::nullopt;
  const std::uint16_t operation = load_be16(arp.data() + 6);
  if (operation != 1 && operation != 2) return std::nullopt;
  NeighborMessage message{
      .sender = v4_at(arp.data() + 14), .target = v4_at(arp.data() + 24), .mac = mac_at(arp.data() + 8)};
  if (operation == 2) {
    message.kind = NeighborMessage::Kind::kReply;
    message.target = message.sender;
  }
  return message;
}

std::optional<NeighborMessage> parse_discovery(std::span<const std::uint8_t> frame) {
  const auto ip = frame.subspan(kEthernetBytes);
  if (ip.size() < 64 || ip[0] >> 4 != 6 || ip[6] != kIcmpv6 || ip[7] != 255) return std::nullopt;
  const std::size_t payload = load_be16(ip.data() + 4);
  if (payload < 24 || 40 + payload > ip.size()) return std::nullopt;
  const auto icmp = ip.subspan(40, payload);
  if ((icmp[0] != kSolicitation && icmp[0] != kAdvertisement) || icmp[1] != 0) return std::nullopt;
  const IpAddress source = v6_at(ip.data() + 8), destination = v6_at(ip.data() + 24);
  if (source.bytes()[0] == 0xff || ipv6_checksum(source, destination, kIcmpv6, icmp) != 0) return std::nullopt;
  NeighborMessage message{.sender = source, .target = v6_at(icmp.data() + 8), .mac = mac_at(frame.data() + 6)};
  if (message.target.bytes()[0] == 0xff) return std::nullopt;
  const bool reply = icmp[0] == kAdvertisement;
  if (reply) message.kind = NeighborMessage::Kind::kReply;
  const bool anonymous = !reply && source == IpAddress::v6({});  // asks whether its address is free
  if (anonymous && !is_solicited_node_group(destination)) return std::nullopt;
  if (reply && destination.bytes()[0] == 0xff && (icmp[4] & kSolicitedFlag) != 0) return std::nullopt;
  const std::uint8_t wanted = reply ? kTargetLinkLayer : kSourceLinkLayer;
  for (auto options = icmp.subspan(24); !options.empty();) {
    const std::size_t size = options.size() < 2 ? 0 : std::size_t{options[1]} * 8;
    if (size == 0 || size > options.size()) return std::nullopt;
    if (anonymous && options[0] == kSourceLinkLayer) return std::nullopt;
    if (options[0] == wanted) message.mac = mac_at(options.data() + 2);
    options = options.subspan(size);
  }
  return message;
}

std::vector<std::uint8_t> discovery_frame(const MacAddress& to, const MacAddress& own, const IpAddress& source,
                                          const IpAddress& destination, std::span<const std::uint8_t> icmp) {
  auto frame = ethernet(to, own, kEtherIpv6);
  std::array<std::uint8_t, 8> start{0x60, 0, 0, 0, 0, static_cast<std::uint8_t>(icmp.size()), kIcmpv6, 255};
  append(frame, start);
  append(frame, source.bytes());
  append(frame, destination.bytes());
  append(frame, icmp);
  store_be16(frame.data() + kEthernetBytes + 40 + 2, ipv6_checksum(source, destination, kIcmpv6, icmp));
  return frame;
}

std::vector<std::uint8_t> discovery_message(std::uint8_t type, std::uint8_t flags, const IpAddress& target,
                                            std::uint8_t option, const MacAddress& own) {
  std::vector<std::uint8_t> icmp(32);
  icmp[0] = type;
  icmp[4] = flags;
  std::copy_n(target.bytes().begin(), 16, icmp.begin() + 8);
  icmp[24] = option;
  icmp[25] = 1;
  std::copy(own.begin(), own.end(), icmp.begin() + 26);
  return icmp;
}

std::vector<std::uint8_t> arp_frame(std::uint8_t operation, const MacAddress& to, const MacAddress& own,
                                    const IpAddress& source, const MacAddress& target_mac, const IpAddress& target) {
  auto frame = ethernet(to, own, kEtherArp);
  const std::array<std::uint8_t, 8> start{0, 1, 8, 0, 6, 4, 0, operation};
  append(frame, start);
  append(frame, own);
  append(frame, std::span{source.bytes()}.first(4));
  append(frame, target_mac);
  append(frame, std::span{target.bytes()}.first(4));
  frame.resize(60);  // the least that Ethernet carries
  return frame;
}

}  // namespace

std::uint32_t checksum_add(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    sum += load_be16(bytes.data() + at);
    if (sum >> 31) sum = (sum & 0xffff) + (sum >> 16);
  }
  if (at < bytes.size()) sum += std::uint32_t{bytes[at]} << 8;
  return sum;
}

std::uint16_t checksum_finish(std::uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t ipv6_checksum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                            std::span<const std::uint8_t> upper) {
  std::uint32_t sum = checksum_add(source.bytes(), 0);
  sum = checksum_add(destination.bytes(), sum);
  sum += static_cast<std::uint32_t>(upper.size()) + protocol;
  return checksum_finish(checksum_add(upper, sum));
}

std::optional<NeighborMessage> parse_neighbor_message(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetBytes) return std::nullopt;
  const std::uint16_t type = load_be16(frame.data() + 12);
  if (type == kEtherArp) return parse_arp(frame);
  if (type == kEtherIpv6) return parse_discovery(frame);
  return std::nullopt;
}

std::vector<std::uint8_t> neighbor_request(const MacAddress& own, const IpAddress& source, const IpAddress& target,
                                           const MacAddress* known) {
  if (!target.is_v6()) {
    const MacAddress everyone{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return arp_frame(1, known == nullptr ? everyone : *known, own, source, {}, target);
  }
  const auto& low = target.bytes();
  const auto icmp = discovery_message(kSolicitation, 0, target, kSourceLinkLayer, own);
  if (known != nullptr) return discovery_frame(*known, own, source, target, icmp);
  const IpAddress group = IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, low[13], low[14], low[15]});
  return discovery_frame({0x33, 0x33, 0xff, low[13], low[14], low[15]}, own, source, group, icmp);
}

std::vector<std::uint8_t> neighbor_reply(const MacAddress& own, const IpAddress& address,
                                         const NeighborMessage& request) {
  if (!address.is_v6()) return arp_frame(2, request.mac, own, address, request.mac, request.sender);
  const bool asks_for_itself = request.sender == IpAddress::v6({});
  const IpAddress everyone = IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const std::uint8_t flags = kRouterFlag | kOverrideFlag | (asks_for_itself ? 0 : kSolicitedFlag);
  const auto icmp = discovery_message(kAdvertisement, flags, address, kTargetLinkLayer, own);
  if (asks_for_itself) return discovery_frame({0x33, 0x33, 0, 0, 0, 1}, own, address, everyone, icmp);
  return discovery_frame(request.mac, own, address, request.sender, icmp);
}

}  // namespace wan::dataplane
