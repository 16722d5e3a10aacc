#include "dataplane/neighbor_resolver.h"

#include <algorithm>

namespace wan::dataplane {

namespace {

bool has_on_link(const PortFacts::Address& own, const IpAddress& address) {
  return IpPrefix{own.address.masked(own.prefix_length), own.prefix_length}.contains(address);
}

}  // namespace

NeighborResolver::NeighborResolver(const NodeFacts& node, std::span<const Static> fixed) : node_{node} {
  for (std::size_t port = 0; port < node.ports.size(); ++port) {
    if (node.ports[port].neighbor) neighbors_[{port, *node.ports[port].neighbor}];
  }
  for (const Static& entry : fixed) {
    Neighbor& neighbor = neighbors_[{entry.port, *node.ports[entry.port].neighbor}];
    neighbor.mac = entry.mac;
    neighbor.fixed = true;
  }
}

bool NeighborResolver::is_on_link(std::size_t port, const IpAddress& address) const {
  const PortFacts& facts = node_.ports[port];
  if (facts.neighbor == address) return true;
  const auto& own = facts.addresses;
  return std::none_of(own.begin(), own.end(), [&](const auto& a) { return a.address == address; }) &&
         std::any_of(own.begin(), own.end(), [&](const auto& a) { return has_on_link(a, address); });
}

NeighborResolver::Outcome NeighborResolver::receive(std::span<const std::uint8_t> frame, std::size_t port,
                                                    Duration now) {
  Outcome outcome;
  const auto message = parse_neighbor_message(frame);
  if (!message) return outcome;
  if (message->kind == NeighborMessage::Kind::kReply) {
    learn(port, message->target, message->mac, false, outcome, now);
    return outcome;
  }
  const auto& own = node_.ports[port].addresses;
  const bool asked = std::any_of(own.begin(), own.end(), [&](const auto& a) { return a.address == message->target; });
  if (!asked) {
    // Hosts that move tell everybody by asking for themselves (RFC 5227, section 3); ARP takes such news in (RFC 826).
    if (!message->target.is_v6()) learn(port, message->sender, message->mac, false, outcome, now);
    return outcome;
  }
  outcome.send.push_back({port, neighbor_reply(node_.ports[port].mac, message->target, *message)});
  learn(port, message->sender, message->mac, true, outcome, now);
  return outcome;
}

void NeighborResolver::learn(std::size_t port, const IpAddress& address, const MacAddress& mac, bool create,
                             Outcome& outcome, Duration now) {
  if (!is_on_link(port, address) || (mac[0] & 1) != 0) return;
  auto found = neighbors_.find({port, address});
  if (found == neighbors_.end()) {
    if (!create || neighbors_.size() >= kNeighborsMax) return;
    found = neighbors_.try_emplace({port, address}).first;
  }
  Neighbor& neighbor = found->second;
  if (neighbor.fixed) return;
  outcome.changed = outcome.changed || neighbor.mac != mac;
  neighbor.mac = mac;
  neighbor.tries = 0;
  neighbor.next_try = now + kFreshFor;
  for (Packet packet : neighbor.waiting) outcome.ready.push_back({port, mac, packet});
  neighbor.waiting.clear();
}

bool NeighborResolver::wait(Packet packet, std::size_t port, const IpAddress& next_hop, Outcome& outcome,
                            Duration now) {
  if (!neighbors_.contains({port, next_hop}) && neighbors_.size() >= kNeighborsMax) return false;
  Neighbor& neighbor = neighbors_[{port, next_hop}];
  if (neighbor.mac) {  // found since the packet was looked at
    outcome.ready.push_back({port, *neighbor.mac, packet});
    return true;
  }
  if (neighbor.waiting.size() >= kWaitingMax) return false;
  neighbor.waiting.push_back(packet);
  if (neighbor.tries == 0) ask({port, next_hop}, neighbor, outcome, now);
  return true;
}

void NeighborResolver::ask(const Key& key, Neighbor& neighbor, Outcome& outcome, Duration now) const {
  const PortFacts& port = node_.ports[key.first];
  const auto& own = port.addresses;
  auto source = std::find_if(own.begin(), own.end(), [&](const auto& a) { return has_on_link(a, key.second); });
  if (source == own.end()) {
    source =
        std::find_if(own.begin(), own.end(), [&](const auto& a) { return a.address.family() == key.second.family(); });
  }
  neighbor.next_try = now + kRetryAfter;
  ++neighbor.tries;
  if (source == own.end()) return;
  const MacAddress* known = neighbor.mac ? &*neighbor.mac : nullptr;
  outcome.send.push_back({key.first, neighbor_request(port.mac, source->address, key.second, known)});
}

NeighborResolver::Outcome NeighborResolver::tick(Duration now) {
  Outcome outcome;
  for (auto at = neighbors_.begin(); at != neighbors_.end();) {
    auto& [key, neighbor] = *at;
    if (neighbor.fixed || now < neighbor.next_try) {
      ++at;
      continue;
    }
    const bool silent = neighbor.tries >= kTriesMax;
    if (silent) {
      outcome.changed = outcome.changed || neighbor.mac.has_value();
      neighbor.mac.reset();
      outcome.given_up.insert(outcome.given_up.end(), neighbor.waiting.begin(), neighbor.waiting.end());
      neighbor.waiting.clear();
      if (node_.ports[key.first].neighbor != key.second) {  // a host; routers are asked for as long as the node runs
        at = neighbors_.erase(at);
        continue;
      }
    }
    ask(key, neighbor, outcome, now);
    ++at;
  }
  return outcome;
}

void NeighborResolver::port_came_up(std::size_t port) {
  for (auto& [key, neighbor] : neighbors_) {
    if (key.first != port) continue;
    neighbor.tries = 0;
    neighbor.next_try = Duration{0};
  }
}

std::vector<NeighborTable::Entry> NeighborResolver::entries() const {
  std::vector<NeighborTable::Entry> result;
  for (const auto& [key, neighbor] : neighbors_) {
    if (neighbor.mac) result.push_back({static_cast<std::uint16_t>(key.first), key.second, *neighbor.mac});
  }
  return result;
}

}  // namespace wan::dataplane
