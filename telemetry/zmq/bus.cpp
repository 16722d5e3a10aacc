#include "telemetry/zmq/bus.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <zmq.hpp>

#include "telemetry/bus_limits.h"
#include "telemetry/zmq/endpoint.h"

namespace wan::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Every socket that reaches beyond this process is made here, before it is bound or connected: the one place where
/// encryption (CURVE) would be switched on.
zmq::socket_t open_socket(zmq::context_t& context, zmq::socket_type type, int send_queue, int receive_queue) {
  constexpr int kHeartbeatMs = 1000, kPeerGoneMs = 5000, kHandshakeMs = 5000, kReconnectMs = 100,
                kReconnectMaxMs = 1000;
  zmq::socket_t socket{context, type};
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kBusMessageBytesMax));
  socket.set(zmq::sockopt::sndhwm, send_queue);
  socket.set(zmq::sockopt::rcvhwm, receive_queue);
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kPeerGoneMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  return socket;
}

/// Messages that wait to be read, a peer: a few, since each may be as large as the size cap.
constexpr int kReceiveQueueMax = 64;

/// A routing id as it may stand in a log line.
std::string printable(std::string_view peer) {
  std::string text;
  for (const char c : peer) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      text += c;
      continue;
    }
    std::array<char, 5> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += escaped.data();
  }
  return text;
}

struct NameOf {
  const std::string& operator()(const NodeHello& message) const { return message.node.name; }
  const std::string& operator()(const IntervalReport& message) const { return message.node.name; }
  const std::string& operator()(const ProgramAck& message) const { return message.node.name; }
  const std::string& operator()(const ProgramReport& message) const { return message.node.name; }
};

/// A flag that any thread can raise and that `poll` sees.
class WakeFlag {
 public:
  WakeFlag() : descriptor_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}
  ~WakeFlag() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  WakeFlag(const WakeFlag&) = delete;
  WakeFlag& operator=(const WakeFlag&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void raise() {
    const std::uint64_t one = 1;
    (void)!::write(descriptor_, &one, sizeof(one));  // fails only when the flag is up 2^64 - 2 times
  }
  /// Whether it was up.
  bool lower() {
    std::uint64_t times = 0;
    return ::read(descriptor_, &times, sizeof(times)) == sizeof(times);
  }

 private:
  int descriptor_;
};

/// Frames of one message, read to the end so that the next one starts clean.
struct Frames {
  std::vector<zmq::message_t> kept;  // the first few
  std::size_t count = 0;
};

std::optional<Frames> receive_frames(zmq::socket_t& socket) {
  constexpr std::size_t kKeptMax = 2;
  Frames frames;
  bool more = true;
  while (more) {
    zmq::message_t frame;
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;  // the first one only: messages are whole
    more = frame.more();
    if (frames.count++ < kKeptMax) frames.kept.push_back(std::move(frame));
  }
  return frames;
}

std::string_view view(const zmq::message_t& frame) { return {frame.data<char>(), frame.size()}; }

steady_clock::time_point deadline_after(milliseconds timeout) {
  constexpr milliseconds kLongest = std::chrono::hours{24};
  return steady_clock::now() + std::min(timeout, kLongest);
}

/// Waits for a socket or a descriptor; signals end the wait early.
void wait(std::span<zmq::pollitem_t> items, steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  const long timeout_ms = std::max<long>(0, static_cast<long>(left.count()));
  if (zmq_poll(items.data(), static_cast<int>(items.size()), timeout_ms) < 0) {
    for (zmq::pollitem_t& item : items) item.revents = 0;
  }
}

/// Counts connections that end, from events of the transport's own threads.
class ConnectionWatch {
 public:
  ConnectionWatch(zmq::context_t& context, zmq::socket_t& watched) : events_{context, zmq::socket_type::pair} {
    constexpr const char* kAddress = "inproc://connections";
    constexpr int kEvents =
        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    if (zmq_socket_monitor(watched.handle(), kAddress, kEvents) != 0) throw zmq::error_t{};
    events_.set(zmq::sockopt::linger, 0);
    events_.connect(kAddress);
  }
  [[nodiscard]] zmq::socket_t& socket() { return events_; }

  /// Adds what has happened since the last call.
  void count(BusCounts& counts, std::optional<BusFault>& fault) {
    while (const auto frames = receive_frames(events_)) {
      std::uint16_t event = 0;
      if (frames->kept.front().size() < sizeof(event)) continue;
      std::memcpy(&event, frames->kept.front().data(), sizeof(event));
      if (event == ZMQ_EVENT_DISCONNECTED) {
        ++counts.disconnects;
        continue;
      }
      ++counts.malformed;
      fault = BusFault{.peer = "a connection that no node has named yet",
                       .error = {ErrorCode::kBadInput, "bus connection: what came in is not ZeroMQ"}};
    }
  }

 private:
  zmq::socket_t events_;
};

/// What both ends do with bytes that came in.
template <typename Message>
std::optional<Message> accept(Result<Message> decoded, std::string_view peer, BusCounts& counts,
                              std::optional<BusFault>& fault) {
  if (decoded) return *std::move(decoded);
  ++(decoded.error().code == ErrorCode::kUnsupported ? counts.other_version : counts.malformed);
  fault = BusFault{.peer = printable(peer), .error = std::move(decoded.error())};
  return std::nullopt;
}

tl::unexpected<Error> refuse_endpoint(const std::string& endpoint, const zmq::error_t& reason) {
  return fail(ErrorCode::kIo, std::string{endpoint}.append(": ").append(reason.what()));
}

}  // namespace

// ---- the daemon's end ----

struct DaemonBus::Impl {
  // Order matters: sockets close before their context.
  zmq::context_t context{1};
  WakeFlag wake;
  zmq::socket_t router = open_socket(context, zmq::socket_type::router, kQueueMax, kReceiveQueueMax);
  ConnectionWatch connections{context, router};
  std::string endpoint;
  BusCounts counts;
  std::optional<BusFault> fault;

  /// A well-formed message of the peer's own, or nothing when it was counted and skipped.
  std::optional<Received> take(const Frames& frames) {
    const std::string_view peer = view(frames.kept.front());
    constexpr std::size_t kPeerAndMessage = 2;
    auto message = accept(frames.count == kPeerAndMessage ? decode_node_message(view(frames.kept[1]))
                                                          : fail(ErrorCode::kBadInput, "bus message: not in one frame"),
                          peer, counts, fault);
    if (!message) return std::nullopt;
    if (std::visit(NameOf{}, *message) != peer) {
      ++counts.misattributed;
      fault = BusFault{.peer = printable(peer),
                       .error = {ErrorCode::kBadInput,
                                 std::string{"bus message: speaks for "}.append(std::visit(NameOf{}, *message))}};
      return std::nullopt;
    }
    ++counts.received;
    return Received{.node = std::string{peer}, .message = *std::move(message)};
  }
};

DaemonBus::DaemonBus(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
DaemonBus::~DaemonBus() = default;
DaemonBus::DaemonBus(DaemonBus&&) noexcept = default;
DaemonBus& DaemonBus::operator=(DaemonBus&&) noexcept = default;

Result<DaemonBus> DaemonBus::bind(const std::string& endpoint) {
  if (auto ready = prepare_endpoint(endpoint); !ready) return tl::unexpected{ready.error()};
  try {
    auto impl = std::make_unique<Impl>();
    if (!impl->wake.is_open()) return fail(ErrorCode::kIo, "bus: no event descriptor left");
    impl->router.set(zmq::sockopt::router_mandatory, true);  // sending to nobody is told, not swallowed
    impl->router.set(zmq::sockopt::router_handover, true);   // a node that restarts takes its name over at once
    impl->router.bind(endpoint);
    impl->endpoint = impl->router.get(zmq::sockopt::last_endpoint);
    return DaemonBus{std::move(impl)};
  } catch (const zmq::error_t& reason) {
    return refuse_endpoint(endpoint, reason);
  }
}

const std::string& DaemonBus::endpoint() const { return impl_->endpoint; }

std::optional<DaemonBus::Received> DaemonBus::receive(milliseconds timeout) {
  const auto deadline = deadline_after(timeout);
  try {
    while (true) {
      std::array<zmq::pollitem_t, 3> items{{{impl_->router.handle(), 0, ZMQ_POLLIN, 0},
                                            {impl_->connections.socket().handle(), 0, ZMQ_POLLIN, 0},
                                            {nullptr, impl_->wake.descriptor(), ZMQ_POLLIN, 0}}};
      wait(items, deadline);
      if (items[1].revents != 0) impl_->connections.count(impl_->counts, impl_->fault);
      if (impl_->wake.lower()) return std::nullopt;
      if (const auto frames = receive_frames(impl_->router)) {
        if (auto received = impl_->take(*frames)) return received;
      }
      if (steady_clock::now() >= deadline) return std::nullopt;
    }
  } catch (const zmq::error_t& reason) {
    impl_->fault = BusFault{.peer = {}, .error = {ErrorCode::kInternal, reason.what()}};
    return std::nullopt;
  }
}

bool DaemonBus::send(const std::string& node, const DaemonMessage& message) {
  const std::string bytes = encode(message);
  try {
    const auto flags = zmq::send_flags::dontwait;
    if (bytes.size() <= kBusMessageBytesMax &&
        impl_->router.send(zmq::buffer(node), flags | zmq::send_flags::sndmore) &&
        impl_->router.send(zmq::buffer(bytes), flags)) {
      ++impl_->counts.sent;
      return true;
    }
  } catch (const zmq::error_t&) {  // EHOSTUNREACH: nobody of that name is connected
  }
  ++impl_->counts.send_drops;
  return false;
}

void DaemonBus::wake() { impl_->wake.raise(); }

BusCounts DaemonBus::counts() const { return impl_->counts; }

std::optional<BusFault> DaemonBus::take_fault() { return std::exchange(impl_->fault, std::nullopt); }

// ---- a node's end ----

struct NodeBus::Impl {
  zmq::context_t context{1};
  zmq::socket_t dealer = open_socket(context, zmq::socket_type::dealer, kQueueMax, kReceiveQueueMax);
  ConnectionWatch connections{context, dealer};
  std::string endpoint;
  BusCounts counts;
  std::optional<BusFault> fault;
};

NodeBus::NodeBus(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
NodeBus::~NodeBus() = default;
NodeBus::NodeBus(NodeBus&&) noexcept = default;
NodeBus& NodeBus::operator=(NodeBus&&) noexcept = default;

Result<NodeBus> NodeBus::connect(const std::string& endpoint, const std::string& node) {
  if (auto known = check_endpoint(endpoint); !known) return tl::unexpected{known.error()};
  if (!is_bus_name(node)) {
    return fail(ErrorCode::kBadInput, "a node's name on the bus has 1 to 64 printable ASCII characters");
  }
  try {
    auto impl = std::make_unique<Impl>();
    impl->dealer.set(zmq::sockopt::routing_id, node);
    impl->dealer.connect(endpoint);
    impl->endpoint = endpoint;
    return NodeBus{std::move(impl)};
  } catch (const zmq::error_t& reason) {
    return refuse_endpoint(endpoint, reason);
  }
}

std::optional<DaemonMessage> NodeBus::receive(milliseconds timeout) {
  const auto deadline = deadline_after(timeout);
  try {
    while (true) {
      std::array<zmq::pollitem_t, 2> items{
          {{impl_->dealer.handle(), 0, ZMQ_POLLIN, 0}, {impl_->connections.socket().handle(), 0, ZMQ_POLLIN, 0}}};
      wait(items, deadline);
      if (items[1].revents != 0) impl_->connections.count(impl_->counts, impl_->fault);
      if (const auto frames = receive_frames(impl_->dealer)) {
        auto message = accept(frames->count == 1 ? decode_daemon_message(view(frames->kept.front()))
                                                 : fail(ErrorCode::kBadInput, "bus message: not in one frame"),
                              impl_->endpoint, impl_->counts, impl_->fault);
        if (message) {
          ++impl_->counts.received;
          return message;
        }
      }
      if (steady_clock::now() >= deadline) return std::nullopt;
    }
  } catch (const zmq::error_t& reason) {
    impl_->fault = BusFault{.peer = {}, .error = {ErrorCode::kInternal, reason.what()}};
    return std::nullopt;
  }
}

bool NodeBus::send(const NodeMessage& message) {
  const std::string bytes = encode(message);
  try {
    if (bytes.size() <= kBusMessageBytesMax && impl_->dealer.send(zmq::buffer(bytes), zmq::send_flags::dontwait)) {
      ++impl_->counts.sent;
      return true;
    }
  } catch (const zmq::error_t&) {  // counted below as what it is for the caller: a message that does not leave
  }
  ++impl_->counts.send_drops;
  return false;
}

BusCounts NodeBus::counts() const { return impl_->counts; }

std::optional<BusFault> NodeBus::take_fault() { return std::exchange(impl_->fault, std::nullopt); }

}  // namespace wan::telemetry
