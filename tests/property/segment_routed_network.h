#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "controller/node_programs.h"
#include "core/ids.h"
#include "core/ip_address.h"
#include "core/node_program.h"
#include "core/random.h"
#include "core/topology.h"

namespace wan::test {

/// A random network that segments steer: nodes n0, n1, ...; links come in pairs, 2k and 2k + 1, with a port at each
/// end.
struct SteeredNetwork {
  Topology topology;
  controller::ForwardingPlane plane;
};

struct SteeredShape {
  std::size_t nodes_max = 9;
  double unmanaged_chance = 0.0;
  double odd_weights_chance = 0.3;  ///< of a network whose weights are no whole numbers and differ by direction
};

/// Connected; weights repeat, so that cheapest paths tie; links may be parallel.
[[nodiscard]] SteeredNetwork drawn_steered_network(Rng& rng, const SteeredShape& shape);

/// Whether the target can be reached with these links down.
[[nodiscard]] bool connected_without(const Topology& topology, NodeId from, NodeId to, std::span<const LinkId> down);

/// A path that meets no node twice, drawn by walking at random; empty where the walk finds none.
[[nodiscard]] std::vector<LinkId> drawn_path(Rng& rng, const Topology& topology, NodeId from, NodeId to);

/// What became of a packet.
struct Journey {
  enum class End { kArrived, kNoRoute, kDeadLink, kDropped, kLooped };
  End end = End::kDropped;
  std::vector<LinkId> links;
};

/// Carries packets as the nodes' programs and RFC 8986 say, written down apart from the code that makes the programs:
/// managed nodes do what their program tells, unmanaged ones forward over any link of a cheapest path, drawn anew each
/// time, know no segment but their End, and take no outer header off.
class PacketWalk {
 public:
  /// `network` and `programs` outlive the walk.
  PacketWalk(const SteeredNetwork& network, std::span<const NodeProgram> programs, Rng& rng);

  /// Both directions of the pair that this link belongs to are down; only the nodes at its ends know.
  void fail(LinkId link);

  /// A packet for this segment, sent by the node's routes.
  [[nodiscard]] Journey send(NodeId from, const IpAddress& segment);
  /// A packet that leaves through one port with a list of segments.
  [[nodiscard]] Journey send(NodeId from, const std::string& port, std::span<const IpAddress> segments);

 private:
  struct Header {
    std::vector<IpAddress> segments;
    std::size_t active = 0;
  };
  struct Packet {
    std::vector<Header> headers;  // the last one is outermost
    NodeId at;
    Journey journey;
    bool done = false;
  };

  void run(Packet& packet);
  void process_here(Packet& packet);
  void forward(Packet& packet);
  void forward_unmanaged(Packet& packet, NodeId target);
  void leave(Packet& packet, LinkId link);
  static void finish(Packet& packet, Journey::End end);
  [[nodiscard]] NodeId owner(const IpAddress& segment) const;
  [[nodiscard]] LinkId link_of_port(NodeId node, const std::string& port) const;
  [[nodiscard]] bool is_down(LinkId link) const;

  const SteeredNetwork& network_;
  std::span<const NodeProgram> programs_;
  Rng& rng_;
  std::vector<std::vector<double>> cost_;  // [from][to] with all links up
  std::vector<LinkId> down_;
};

}  // namespace wan::test
