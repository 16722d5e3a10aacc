#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/node_facts.h"

struct rte_mempool;

namespace wan::dataplane {

/// The argument that makes DPDK open a device, and the name it then has.
struct DeviceArgument {
  std::string argument;  ///< "--vdev=..." or "-a..."
  std::string name;
};
/// @param port    position of the port in its node
/// @param mtu     of IP packets
/// @param queues  one for each worker
[[nodiscard]] DeviceArgument device_argument(const PortDevice& device, std::size_t port, std::uint32_t mtu,
                                             std::size_t queues);

/// Sets a port up with one receive and one send queue for each worker, and starts it.
/// @return  DPDK's number for it
/// @error kIo: named, with DPDK's reason
[[nodiscard]] Result<std::uint16_t> open_port(const std::string& device_name, std::size_t queues, rte_mempool* pool,
                                              MacAddress& mac);

/// Lets the kernel's queueing disciplines decide what is dropped on a full link, not the sockets: DPDK's AF_PACKET
/// driver waits without end for a socket whose send buffer is full, and every other port with it. To be called once the
/// ports' sockets exist.
void lift_send_limits();

/// The largest frame that a port with this MTU carries.
[[nodiscard]] constexpr std::uint32_t frame_bytes(std::uint32_t mtu) { return mtu + 14 + 4; }

}  // namespace wan::dataplane
