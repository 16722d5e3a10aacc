#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/io/network_file.h"
#include "core/node_report.h"
#include "core/topology.h"

namespace wan::controller {

/// Which links are up, and which of them are to carry nothing, as nodes report and operators ask.
///
/// A link is down when the port at either end says so; a node that is silent leaves its links as they were.
/// Threads: one owner.
class NetworkState {
 public:
  explicit NetworkState(const io::NetworkDescription& network);

  /// @return  whether a link went up or down by it
  bool take_ports(NodeId node, const std::vector<PortState>& ports);
  /// Links that operators keep empty: sorted. @return  whether that is a change
  bool keep_empty(std::vector<LinkId> links);

  /// As it is configured: every link up. What nodes route by between segments, so that a link that goes down or comes
  /// back changes nothing elsewhere; the node beside it repairs, and demands' segment lists go around it.
  [[nodiscard]] const Topology& configured() const { return all_up_; }
  /// As it is: links down are down.
  [[nodiscard]] const Topology& physical() const { return physical_; }
  /// As plans are made: links kept empty are down too.
  [[nodiscard]] const Topology& planning() const { return planning_; }
  [[nodiscard]] bool is_kept_empty(LinkId link) const { return kept_empty_[link.index()]; }
  [[nodiscard]] std::size_t links_up() const;

 private:
  void rebuild();

  std::vector<std::string> ports_;  // by link, of the near end
  std::vector<LinkId> reverse_;
  Topology all_up_, physical_, planning_;
  std::vector<bool> port_down_;  // by link: its near end's port
  std::vector<bool> kept_empty_;
};

/// Pairs that are connected in `before` and not in `after`, both ends wanted.
[[nodiscard]] std::vector<std::pair<NodeId, NodeId>> pairs_cut(const Topology& before, const Topology& after,
                                                               const std::vector<bool>& wanted);

}  // namespace wan::controller
