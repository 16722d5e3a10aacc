#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/node_program.h"
#include "core/result.h"
#include "dataplane/node_facts.h"
#include "dataplane/path_slots.h"
#include "dataplane/prefix_table.h"
#include "dataplane/srv6.h"

namespace wan::dataplane {

inline constexpr std::size_t kClassesMax = 16;
inline constexpr std::size_t kEgressesMax = 4096;

/// A node's program, compiled for the packet path: every question that a packet asks is one or two table reads.
///
/// Immutable; any number of readers. A program is replaced by making a new table from it and the one before, so that
/// flows stay where they are as far as the new shares allow.
class ForwardingTable {
 public:
  struct Path {
    std::uint64_t id = 0;
    std::uint16_t port = 0;
    OuterHeaders outer;
  };
  /// Where the flows of one failed port go.
  struct Backup {
    std::uint16_t failed_port = 0;
    std::vector<Path> paths;
    PathSlots slots;
  };
  struct DemandEntry {
    std::vector<Path> paths;
    PathSlots slots;
    std::vector<Backup> backups;
  };
  /// A node that traffic leaves the network at.
  struct Egress {
    std::string name;
    OuterHeaders outer;         ///< to its End.DT46 the IGP's way
    std::uint32_t counter = 0;  ///< position in counters; the same for the same name in all later tables
    bool here = false;          ///< this node
  };
  /// What an IPv6 destination of the network means here.
  struct SidTarget {
    enum class Kind : std::uint8_t { kEnd, kDecapsulate, kAdjacency, kUnknown, kRoute };
    Kind kind = Kind::kUnknown;
    std::uint16_t port = 0;  ///< kAdjacency, kRoute
    bool has_repair = false;
    std::uint16_t repair_port = 0;
    OuterHeaders repair;  ///< of size 0: sent as it is
  };

  /// @param before  the table in force, or null
  /// @error kBadInput: no core port of the node, a segment that is no IPv6 address or too many of them, no
  ///        paths, over `kClassesMax` classes or `kEgressesMax` egress names over all programs since the start
  [[nodiscard]] static Result<std::unique_ptr<const ForwardingTable>> compile(const NodeProgram& program,
                                                                              const NodeFacts& node,
                                                                              const ForwardingTable* before);

  [[nodiscard]] const NodeProgram& program() const { return program_; }
  [[nodiscard]] std::uint8_t class_of(std::uint8_t traffic_class_byte) const {
    return class_of_dscp_[traffic_class_byte >> 2];
  }
  /// Which node a customer's address lies behind.
  [[nodiscard]] const Egress* egress_of(std::span<const std::uint8_t> address) const;
  [[nodiscard]] const DemandEntry* demand(std::uint8_t cls, const Egress& egress) const;
  [[nodiscard]] const SidTarget* sid_target(std::span<const std::uint8_t> address) const;
  /// The port whose hosts an address is among.
  [[nodiscard]] std::optional<std::uint32_t> access_port_of(std::span<const std::uint8_t> address) const {
    return access_ports_.find(address);
  }
  /// Names of all egress nodes since the start, by `Egress::counter`.
  [[nodiscard]] const std::vector<std::string>& counter_names() const { return counter_names_; }

 private:
  ForwardingTable() = default;
  friend class TableCompiler;

  NodeProgram program_;
  std::array<std::uint8_t, 64> class_of_dscp_{};
  std::vector<Egress> egresses_;
  PrefixTable customers_;     // -> position in egresses_
  PrefixTable access_ports_;  // -> port
  std::vector<SidTarget> sid_targets_;
  PrefixTable sids_;                                   // -> position in sid_targets_
  std::vector<std::unique_ptr<DemandEntry>> demands_;  // by class x egress; null: the IGP's way
  std::vector<std::string> counter_names_;
};

}  // namespace wan::dataplane
