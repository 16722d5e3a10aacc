#include "dataplane/dpdk/port.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace wan::dataplane {
namespace {

constexpr std::uint16_t kDescriptors = 512;
constexpr std::uint32_t kFramesInRing = 1024;  // of AF_PACKET; 0.2 s of 5,000 packets a second
constexpr std::uint32_t kFrameOverhead = 128;  // what AF_PACKET's ring keeps before a frame

tl::unexpected<Error> refused(const std::string& name, const char* what, int code) {
  return fail(ErrorCode::kIo,
              std::string{"port "}.append(name).append(": ").append(what).append(": ").append(rte_strerror(-code)));
}

}  // namespace

DeviceArgument device_argument(const PortDevice& device, std::size_t port, std::uint32_t mtu, std::size_t queues) {
  if (device.kind == PortDevice::Kind::kPci) return {std::string{"-a"}.append(device.device), device.device};
  if (device.kind == PortDevice::Kind::kVirtual) {
    return {std::string{"--vdev="}.append(device.device), device.device.substr(0, device.device.find(','))};
  }
  const std::string name = std::string{"net_af_packet"}.append(std::to_string(port));
  const std::uint32_t frame = std::bit_ceil(std::max<std::uint32_t>(2048, frame_bytes(mtu) + kFrameOverhead));
  std::string argument = std::string{"--vdev="}.append(name).append(",iface=").append(device.device);
  // Through the kernel's queueing discipline, so that an operator's shaping holds for these packets too.
  argument.append(",qdisc_bypass=0,qpairs=").append(std::to_string(queues));
  argument.append(",framesz=").append(std::to_string(frame));
  argument.append(",blocksz=").append(std::to_string(frame * 8));
  argument.append(",framecnt=").append(std::to_string(kFramesInRing));
  return {argument, name};
}

Result<std::uint16_t> open_port(const std::string& device_name, std::size_t queues, rte_mempool* pool,
                                MacAddress& mac) {
  std::uint16_t port = 0;
  if (rte_eth_dev_get_port_by_name(device_name.c_str(), &port) != 0) {
    return fail(ErrorCode::kIo, "port " + device_name + ": DPDK has not opened it");
  }
  rte_eth_conf conf{};
  const auto count = static_cast<std::uint16_t>(queues);
  if (const int code = rte_eth_dev_configure(port, count, count, &conf); code != 0) {
    return refused(device_name, "cannot have a queue for each worker", code);
  }
  for (std::uint16_t queue = 0; queue < count; ++queue) {
    int code = rte_eth_rx_queue_setup(
        port, queue, kDescriptors,
        rte_eth_dev_socket_id(port) < 0 ? 0 : static_cast<unsigned>(rte_eth_dev_socket_id(port)), nullptr, pool);
    if (code != 0) return refused(device_name, "receive queue", code);
    code = rte_eth_tx_queue_setup(port, queue, kDescriptors, 0, nullptr);
    if (code != 0) return refused(device_name, "send queue", code);
  }
  if (const int code = rte_eth_dev_start(port); code != 0) return refused(device_name, "does not start", code);
  rte_ether_addr address{};
  if (const int code = rte_eth_macaddr_get(port, &address); code != 0)
    return refused(device_name, "has no address", code);
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), mac.begin());
  return port;
}

void lift_send_limits() {
  constexpr int kSendBuffer = 256 << 20;  // far beyond what a ring of frames can hold
  std::error_code error;
  // The driver keeps its sockets to itself; they are this process's only ones of their family.
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", error}) {
    const std::string number = entry.path().filename().string();
    int socket = -1, family = 0;
    socklen_t size = sizeof family;
    std::from_chars(number.data(), number.data() + number.size(), socket);
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_PACKET) continue;
    if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBuffer, sizeof kSendBuffer) != 0) {
      setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);  // as far as the system allows
    }
  }
}

}  // namespace wan::dataplane
