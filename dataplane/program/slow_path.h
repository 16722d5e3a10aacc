#pragma once

#include <vector>

#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/icmp.h"
#include "dataplane/neighbor_resolver.h"
#include "dataplane/program/node_config.h"

namespace wan::dataplane {

/// What workers leave to the control thread: neighbours, packets for the node itself, and what to tell senders.
///
/// Threads: one owner.
class SlowPath {
 public:
  /// @param config, engine  outlive it
  SlowPath(const NodeConfig& config, PacketEngine& engine);
  /// Settles what waits, a bounded number of packets a call.
  void tick(Duration now);
  void port_came_up(std::size_t port) { resolver_.port_came_up(port); }
  SlowPath(const SlowPath&) = delete;
  SlowPath& operator=(const SlowPath&) = delete;

 private:
  void settle(PacketEngine::Slow packet, Duration now);
  void answer(const PacketEngine::Slow& packet, Duration now);
  void carry_out(const NeighborResolver::Outcome& outcome);
  [[nodiscard]] const IpAddress* own_address(bool v6) const;

  const NodeConfig& config_;
  PacketEngine& engine_;
  NeighborResolver resolver_;
  RateLimit icmp_{100.0};  // answers a second
};

}  // namespace wan::dataplane
