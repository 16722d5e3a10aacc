#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/ip_address.h"

namespace wan {

/// One way for a demand as its ingress node knows it.
struct ProgrammedPath {
  std::uint64_t id = 0;             ///< equal links, equal id: what stays on a path across programs is told by it
  double fraction = 0.0;            ///< of the demand, above zero
  std::string port;                 ///< the ingress node's own port that the path leaves through
  std::vector<IpAddress> segments;  ///< SIDs in travel order; the last one decapsulates at the destination
  std::vector<std::string> links;   ///< names in travel order, for people and for a daemon that adopts what it finds
  bool operator==(const ProgrammedPath&) const = default;
};

/// Where the shares of a demand go at once when a port of the ingress node is down.
struct ProgrammedBackup {
  std::string failed_port;
  std::vector<ProgrammedPath> paths;  ///< none through `failed_port`; fractions sum to 1
  bool operator==(const ProgrammedBackup&) const = default;
};

/// All traffic of one class from this node to one other.
struct ProgrammedDemand {
  TrafficClass cls;
  std::string destination;            ///< node name
  std::vector<ProgrammedPath> paths;  ///< at least one; fractions sum to 1 within 1e-6
  std::vector<ProgrammedBackup> backups;
  bool operator==(const ProgrammedDemand&) const = default;
};

/// How to reach the segments of another node: the IGP's next hop, and what to do while that port is down.
struct SidRoute {
  /// Reaches the same node without `SidRoute::port`: an outer header with these segments (none: sent as it is).
  struct Repair {
    std::string port;
    std::vector<IpAddress> segments;
    bool operator==(const Repair&) const = default;
  };
  IpPrefix locator;
  std::string port;
  std::optional<Repair> repair;
  bool operator==(const SidRoute&) const = default;
};

/// Which node customers' addresses lie behind.
struct PrefixOwner {
  IpPrefix prefix;
  std::string node;
  bool operator==(const PrefixOwner&) const = default;
};

/// A node that traffic can be sent to.
struct EgressNode {
  std::string name;
  IpAddress decapsulation_sid;  ///< its End.DT46
  bool operator==(const EgressNode&) const = default;
};

/// A segment of this node that leaves through one port whatever the IGP says (End.X).
struct AdjacencySid {
  IpAddress sid;
  std::string port;
  bool operator==(const AdjacencySid&) const = default;
};

/// Which DSCP values (0..63) belong to a class; what no class names is class 0.
struct ClassRule {
  TrafficClass cls;
  std::vector<std::uint8_t> dscps;
  bool operator==(const ClassRule&) const = default;
};

/// All that one node is told to do. Whole: it replaces what the node did before. A demand that has no entry takes the
/// IGP's way to its egress node.
struct NodeProgram {
  std::uint64_t epoch = 0;  ///< rises with every program of a network; a node refuses one that does not
  std::string digest;       ///< of the network-wide plan this is part of: 16 hexadecimal digits
  std::vector<ClassRule> classes;
  std::vector<EgressNode> egresses;
  std::vector<PrefixOwner> prefixes;
  std::vector<SidRoute> routes;
  std::vector<AdjacencySid> adjacencies;
  std::vector<ProgrammedDemand> demands;
  bool operator==(const NodeProgram&) const = default;
};

}  // namespace wan
