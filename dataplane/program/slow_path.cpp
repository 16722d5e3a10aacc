#include "dataplane/program/slow_path.h"

#include <memory>

namespace wan::dataplane {

SlowPath::SlowPath(const NodeConfig& config, PacketEngine& engine)
    : config_{config}, engine_{engine}, resolver_{config.facts, config.fixed_neighbors} {}

void SlowPath::tick(Duration now) {
  constexpr int kPacketsMax = 256;
  for (int i = 0; i < kPacketsMax; ++i) {
    auto packet = engine_.next_slow();
    if (!packet) break;
    settle(*packet, now);
  }
  carry_out(resolver_.tick(now));
}

void SlowPath::settle(PacketEngine::Slow packet, Duration now) {
  switch (packet.verdict.slow) {
    case Verdict::Slow::kNeighbors:
      carry_out(resolver_.receive(packet.bytes, packet.in_port, now));
      engine_.discard(packet.packet);
      break;
    case Verdict::Slow::kResolve: {
      NeighborResolver::Outcome outcome;
      if (!resolver_.wait(packet.packet.buffer(), packet.verdict.port, packet.verdict.next_hop, outcome, now)) {
        engine_.discard(packet.packet, DropReason::kNeighborQueueFull);
      }
      carry_out(outcome);
      break;
    }
    case Verdict::Slow::kOwnAddress:
    case Verdict::Slow::kTtlExpired:
    case Verdict::Slow::kTooBig:
      if (icmp_.allow(now)) answer(packet, now);
      engine_.discard(packet.packet);
      break;
  }
}

void SlowPath::answer(const PacketEngine::Slow& packet, Duration) {
  const IpAddress* own = packet.bytes.empty() ? nullptr : own_address(packet.bytes[0] >> 4 == 6);
  std::optional<std::vector<std::uint8_t>> reply;
  if (packet.verdict.slow == Verdict::Slow::kOwnAddress) {
    reply = echo_reply(packet.bytes);
  } else if (own != nullptr) {
    reply = packet.verdict.slow == Verdict::Slow::kTtlExpired ? time_exceeded(packet.bytes, *own)
                                                              : packet_too_big(packet.bytes, *own, packet.verdict.mtu);
  }
  if (reply) engine_.originate(*reply);
}

/// The address that the node speaks under: of its first access port of that family.
const IpAddress* SlowPath::own_address(bool v6) const {
  for (const PortFacts& port : config_.facts.ports) {
    if (port.is_core()) continue;
    for (const auto& own : port.addresses) {
      if (own.address.is_v6() == v6) return &own.address;
    }
  }
  return nullptr;
}

void SlowPath::carry_out(const NeighborResolver::Outcome& outcome) {
  if (outcome.changed) {
    engine_.publish(std::make_unique<const NeighborTable>(resolver_.entries(), config_.facts.ports));
  }
  for (const auto& frame : outcome.send) engine_.send_frame(frame.port, frame.bytes);
  for (const auto& ready : outcome.ready) {
    engine_.send_resolved(HeldPacket{ready.packet}, ready.port, ready.next_hop);
  }
  for (const NeighborResolver::Packet packet : outcome.given_up) {
    engine_.discard(HeldPacket{packet}, DropReason::kNoNeighbor);
  }
}

}  // namespace wan::dataplane
