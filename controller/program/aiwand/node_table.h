#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/node_report.h"
#include "core/topology.h"

namespace wan::controller {

/// What a node has told about itself.
struct NodeEntry {
  bool managed = false;
  bool seen = false;
  bool silent = false;  ///< seen once, and not for a while
  std::uint64_t boot_id = 0;
  std::uint64_t boots = 0;  ///< lives seen by this daemon
  std::int64_t last_seen_ns = 0;
  std::uint64_t epoch = 0;  ///< of the program in force there
  std::string digest;
  std::uint64_t installs = 0;
  std::string version;
  std::vector<PortState> ports;
  std::vector<DropCount> drops;  ///< of the newest interval
};

/// The nodes as they report; silence is told by the clock that comes in with each call.
///
/// Threads: one owner.
class NodeTable {
 public:
  NodeTable(const Topology& topology, const std::vector<bool>& managed) : nodes_(topology.node_count()) {
    for (std::size_t n = 0; n < nodes_.size(); ++n) nodes_[n].managed = managed[n];
  }

  void take(NodeId node, const NodeHello& hello, std::int64_t now_ns) {
    NodeEntry& entry = meet(node, hello.node, now_ns);
    entry.epoch = hello.program_epoch;
    entry.digest = hello.program_digest;
    entry.installs = hello.installs;
    entry.version = hello.version;
    entry.ports = hello.ports;
  }
  void take(NodeId node, const IntervalReport& report, std::int64_t now_ns) {
    meet(node, report.node, now_ns).drops = report.drops;
  }
  void take(NodeId node, const ProgramAck& ack, std::int64_t now_ns) {
    NodeEntry& entry = meet(node, ack.node, now_ns);
    if (!ack.accepted) return;
    entry.epoch = ack.epoch;
    entry.digest = ack.digest;
    ++entry.installs;
  }
  /// Marks nodes that have not been heard for `silence`. @return  those that fell silent by it
  std::vector<NodeId> mark_silent(std::int64_t now_ns, Duration silence) {
    std::vector<NodeId> fallen;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      NodeEntry& entry = nodes_[n];
      if (!entry.seen || entry.silent || now_ns - entry.last_seen_ns < silence.count()) continue;
      entry.silent = true;
      fallen.push_back(NodeId{n});
    }
    return fallen;
  }

  [[nodiscard]] const NodeEntry& at(NodeId node) const { return nodes_[node.index()]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::size_t managed() const {
    return count([](const NodeEntry& entry) { return entry.managed; });
  }
  [[nodiscard]] std::size_t reporting() const {
    return count([](const NodeEntry& entry) { return entry.managed && entry.seen && !entry.silent; });
  }
  [[nodiscard]] std::uint64_t epoch_max() const {
    std::uint64_t epoch = 0;
    for (const NodeEntry& entry : nodes_) epoch = std::max(epoch, entry.epoch);
    return epoch;
  }

 private:
  NodeEntry& meet(NodeId node, const NodeIdentity& identity, std::int64_t now_ns) {
    NodeEntry& entry = nodes_[node.index()];
    if (!entry.seen || entry.boot_id != identity.boot_id) {
      ++entry.boots;
      entry.epoch = 0;
      entry.digest.clear();
      entry.installs = 0;
    }
    entry.boot_id = identity.boot_id;
    entry.seen = true;
    entry.silent = false;
    entry.last_seen_ns = now_ns;
    return entry;
  }
  template <typename Which>
  [[nodiscard]] std::size_t count(Which which) const {
    std::size_t found = 0;
    for (const NodeEntry& entry : nodes_) found += which(entry) ? 1U : 0U;
    return found;
  }

  std::vector<NodeEntry> nodes_;
};

}  // namespace wan::controller
