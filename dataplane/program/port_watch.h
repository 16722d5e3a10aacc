#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/hello.h"
#include "dataplane/program/link_watch.h"
#include "dataplane/program/node_config.h"

namespace wan::dataplane {

/// Decides which ports are up, from the kernel's carrier and the neighbours' hellos, and sends the node's own hellos.
///
/// Threads: one owner.
class PortWatch {
 public:
  /// @param links   of the ports on kernel interfaces, in their order; all three outlive it
  PortWatch(const NodeConfig& config, PacketEngine& engine, PortStates& states, LinkWatch links);

  struct Change {
    std::size_t port = 0;
    bool up = false;
    const char* cause = "";  ///< "carrier" or "hello"
  };
  /// To be called every few milliseconds; tells what went up or down.
  [[nodiscard]] std::vector<Change> tick(Duration now);
  [[nodiscard]] bool up(std::size_t port) const { return states_.up(port); }
  /// Packets that the kernel's queue of a port has dropped since it exists; 0 for other ports.
  [[nodiscard]] std::uint64_t queue_drops(std::size_t port);

 private:
  struct Port {
    std::optional<std::size_t> interface;  // position in links_
    std::optional<HelloMonitor> hello;
  };
  const NodeConfig& config_;
  PacketEngine& engine_;
  PortStates& states_;
  LinkWatch links_;
  std::vector<Port> ports_;
  Duration next_hello_{0};
};

}  // namespace wan::dataplane
