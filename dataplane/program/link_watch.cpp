#include "dataplane/program/link_watch.h"

#include <fcntl.h>
#include <linux/gen_stats.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace wan::dataplane {
namespace {

constexpr std::size_t kMessageBytesMax = 32 * 1024;

tl::unexpected<Error> refused(const char* what) {
  return fail(ErrorCode::kIo, std::string{"netlink: "}.append(what).append(": ").append(std::strerror(errno)));
}

template <typename Body>
bool ask(int socket, std::uint16_t type, std::uint16_t flags, const Body& body) {
  struct {
    nlmsghdr header;
    Body body;
  } request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(Body));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request.body = body;
  return send(socket, &request, request.header.nlmsg_len, 0) >= 0;
}

/// The drops that a queueing discipline's statistics (TCA_STATS2) tell of.
std::uint64_t drops_of(const char* bytes, std::size_t size) {
  for (std::size_t at = 0; at + sizeof(rtattr) <= size;) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > size) return 0;
    const char* payload = bytes + at + RTA_LENGTH(0);
    const std::size_t payload_size = attribute.rta_len - RTA_LENGTH(0);
    const auto type = static_cast<unsigned>(attribute.rta_type) & 0x3fffU;
    if (type == TCA_STATS2) return drops_of(payload, payload_size);
    if (type == TCA_STATS_QUEUE && payload_size >= sizeof(gnet_stats_queue)) {
      gnet_stats_queue queue{};
      std::memcpy(&queue, payload, sizeof queue);
      return queue.drops;
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return 0;
}

}  // namespace

Result<LinkWatch> LinkWatch::open(const std::vector<std::string>& interfaces) {
  LinkWatch watch;
  for (const std::string& name : interfaces) {
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0) return fail(ErrorCode::kNotFound, "no network interface " + name + "; 'ip link' lists them");
    watch.interfaces_.push_back({.index = static_cast<int>(index)});
  }
  watch.events_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  watch.queries_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (watch.events_ < 0 || watch.queries_ < 0) return refused("no socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (bind(watch.events_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return refused("bind");
  if (fcntl(watch.events_, F_SETFL, O_NONBLOCK) != 0) return refused("fcntl");
  if (auto asked = watch.ask_for_links(); !asked) return tl::unexpected<Error>{asked.error()};
  // The answer to the first question is what there is now; changes follow by themselves.
  pollfd ready{watch.events_, POLLIN, 0};
  while (::poll(&ready, 1, 200) > 0 && watch.poll()) {
  }
  return watch;
}

Result<void> LinkWatch::ask_for_links() {
  if (!ask(events_, RTM_GETLINK, NLM_F_DUMP, ifinfomsg{})) return refused("no list of interfaces");
  return {};
}

LinkWatch::~LinkWatch() {
  if (events_ >= 0) close(events_);
  if (queries_ >= 0) close(queries_);
}

LinkWatch::LinkWatch(LinkWatch&& other) noexcept
    : events_{std::exchange(other.events_, -1)},
      queries_{std::exchange(other.queries_, -1)},
      interfaces_{std::move(other.interfaces_)} {}

bool LinkWatch::poll() {
  std::array<char, kMessageBytesMax> bytes{};
  bool changed = false;
  while (true) {
    const ssize_t size = recv(events_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) {
      changed = take(bytes.data(), static_cast<std::size_t>(size)) || changed;
      continue;
    }
    // Too many changes at once for the socket: everything is asked for again.
    if (size < 0 && errno == ENOBUFS && ask_for_links()) continue;
    return changed;
  }
}

bool LinkWatch::take(const char* bytes, std::size_t size) {
  bool changed = false;
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    nlmsghdr header{};
    std::memcpy(&header, bytes + at, sizeof header);
    if (header.nlmsg_len < sizeof header || at + header.nlmsg_len > size) break;
    const bool tells = header.nlmsg_type == RTM_NEWLINK || header.nlmsg_type == RTM_DELLINK;
    if (tells && header.nlmsg_len >= NLMSG_LENGTH(sizeof(ifinfomsg))) {
      ifinfomsg link{};
      std::memcpy(&link, bytes + at + NLMSG_HDRLEN, sizeof link);
      const bool up = header.nlmsg_type == RTM_NEWLINK && (link.ifi_flags & IFF_UP) != 0 &&
                      (link.ifi_flags & IFF_RUNNING) != 0 && (link.ifi_flags & 0x10000U) != 0;  // IFF_LOWER_UP
      for (Interface& interface : interfaces_) {
        if (interface.index != link.ifi_index || interface.up == up) continue;
        interface.up = up;
        changed = true;
      }
    }
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return changed;
}

std::uint64_t LinkWatch::queue_drops(std::size_t interface) {
  tcmsg question{};
  question.tcm_family = AF_UNSPEC;
  question.tcm_ifindex = interfaces_[interface].index;
  std::uint64_t& known = interfaces_[interface].queue_drops;
  if (!ask(queries_, RTM_GETQDISC, NLM_F_DUMP, question)) return known;
  std::array<char, kMessageBytesMax> bytes{};
  std::uint64_t root_drops = 0;
  while (true) {
    const ssize_t size = recv(queries_, bytes.data(), bytes.size(), 0);
    if (size <= 0) return known;
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= static_cast<std::size_t>(size);) {
      nlmsghdr header{};
      std::memcpy(&header, bytes.data() + at, sizeof header);
      if (header.nlmsg_type == NLMSG_DONE) return known = root_drops;
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof header ||
          at + header.nlmsg_len > static_cast<std::size_t>(size)) {
        return known;
      }
      tcmsg discipline{};
      if (header.nlmsg_len >= NLMSG_LENGTH(sizeof discipline)) {
        std::memcpy(&discipline, bytes.data() + at + NLMSG_HDRLEN, sizeof discipline);
        // A root discipline's count includes what its children dropped.
        if (discipline.tcm_ifindex == interfaces_[interface].index && discipline.tcm_parent == TC_H_ROOT) {
          const std::size_t head = NLMSG_LENGTH(NLMSG_ALIGN(sizeof discipline));
          if (header.nlmsg_len > head) root_drops += drops_of(bytes.data() + at + head, header.nlmsg_len - head);
        }
      }
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
}

}  // namespace wan::dataplane
