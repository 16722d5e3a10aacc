#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "telemetry/bus_codec.h"

namespace wan::telemetry {

/// What a bus end has seen; each number only rises.
struct BusCounts {
  std::uint64_t received = 0;   ///< well-formed messages
  std::uint64_t malformed = 0;  ///< refused by the decoder, or not even ZeroMQ
  std::uint64_t other_version = 0;
  std::uint64_t misattributed = 0;  ///< named another node than the peer that sent it
  std::uint64_t disconnects = 0;    ///< connections that ended: the peer went, or sent a frame over the size cap
  std::uint64_t sent = 0;
  std::uint64_t send_drops = 0;  ///< the peer's queue was full or the peer is gone
  bool operator==(const BusCounts&) const = default;
};

/// A refused message, for a log that writes one line a second at most.
struct BusFault {
  std::string peer;  ///< as the transport names it, unprintable bytes escaped
  Error error;
};

/// The daemon's end: a ROUTER that nodes connect to, each under its name.
///
/// Never blocks on a slow node: its queue holds `kQueueMax` messages, then the newest is dropped and counted. Frames
/// over `kBusMessageBytesMax` are refused by the transport, so that a forged length costs no memory.
/// Threads: one owner; `wake` may be called from any thread.
class DaemonBus {
 public:
  static constexpr int kQueueMax = 1000;

  /// @param endpoint  `tcp://127.0.0.1:5570`, `tcp://127.0.0.1:*` (a free port) or `ipc:///run/aiwan/bus.sock`
  /// @error kIo: the endpoint cannot be bound, with the system's reason; kBadInput: no endpoint
  [[nodiscard]] static Result<DaemonBus> bind(const std::string& endpoint);
  ~DaemonBus();
  DaemonBus(DaemonBus&&) noexcept;
  DaemonBus& operator=(DaemonBus&&) noexcept;

  /// Where nodes connect, with the port that was chosen.
  [[nodiscard]] const std::string& endpoint() const;

  struct Received {
    std::string node;  ///< the peer's name, equal to the one in the message
    NodeMessage message;
  };
  /// The next well-formed message; nothing after `timeout` or a `wake`. Malformed ones are counted and skipped.
  [[nodiscard]] std::optional<Received> receive(std::chrono::milliseconds timeout);
  /// @return  false: no such peer, or its queue is full
  bool send(const std::string& node, const DaemonMessage& message);
  /// Ends a `receive` that waits.
  void wake();

  [[nodiscard]] BusCounts counts() const;
  /// The newest fault since the last call.
  [[nodiscard]] std::optional<BusFault> take_fault();

 private:
  struct Impl;
  explicit DaemonBus(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A node's end: a DEALER that connects under the node's name, and again by itself whenever the daemon comes back.
///
/// Threads: one owner.
class NodeBus {
 public:
  static constexpr int kQueueMax = 100;  ///< messages kept while the daemon is away; then the newest is dropped

  /// @param node  the name the daemon knows it by
  [[nodiscard]] static Result<NodeBus> connect(const std::string& endpoint, const std::string& node);
  ~NodeBus();
  NodeBus(NodeBus&&) noexcept;
  NodeBus& operator=(NodeBus&&) noexcept;

  /// The next well-formed message; nothing after `timeout`.
  [[nodiscard]] std::optional<DaemonMessage> receive(std::chrono::milliseconds timeout);
  /// @return  false: dropped, the queue is full
  bool send(const NodeMessage& message);

  [[nodiscard]] BusCounts counts() const;
  [[nodiscard]] std::optional<BusFault> take_fault();

 private:
  struct Impl;
  explicit NodeBus(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::telemetry
