#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "controller/plan_constraints.h"
#include "controller/tree_search.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct LinkFlow {
  std::uint32_t link;
  double bps;
};

/// One way to route a whole block: a path to each of its targets.
struct BlockTree {
  /// Where the tree's own path breaks the rule: a path of its own, links in travel order.
  struct Detour {
    std::uint32_t target;  ///< position in the block's targets
    std::vector<std::uint32_t> links;
    bool operator==(const Detour&) const = default;
  };
  std::vector<std::uint32_t> parent_link;  ///< by node
  std::vector<Detour> detours;             ///< by rising target
  std::vector<LinkFlow> flows;             ///< what the block's rates put on links when all follow this tree
  double share = 0.0;                      ///< of the block; a block's shares sum to 1

  [[nodiscard]] bool same_paths(const BlockTree& other) const {
    return parent_link == other.parent_link && detours == other.detours;
  }
};

/// Traffic of one node, one priority level and one rule: routed as a mixture of trees, since every split of it is one.
/// Demands that pins or broken rules bind to one path have blocks of their own, with a single tree.
struct TrafficBlock {
  static constexpr std::size_t kFixed = 0xffffffff;
  std::size_t level = 0;
  std::size_t column = 0;  ///< counts in the utilisation columns from here on
  NodeId source;
  std::size_t rule = 0;                ///< position in `BlockRouting::rules`; kFixed: each target has one path
  std::vector<std::uint32_t> targets;  ///< nodes, rising
  std::vector<std::uint32_t> demand;   ///< by target: position in `BlockRouting::ruled().demands`
  std::vector<double> rate;            ///< by target, bits per second
  std::vector<BlockTree> trees;
  bool active = true;  ///< false: left out of everything, as if its rates were zero

  [[nodiscard]] bool fixed() const { return rule == kFixed; }
};

/// All traffic of a network, in blocks, with the trees that each is spread over: what the class planner works on.
///
/// Threads: one owner.  Memory: blocks x trees x nodes.
class BlockRouting {
 public:
  /// @param traffic         of this topology, any number of classes
  /// @param level_of_class  by class
  /// @param one_column      all levels load the same column; otherwise level k loads the columns from k on
  BlockRouting(const Topology& topology, const TrafficMatrix& traffic, const std::vector<std::size_t>& level_of_class,
               const PlanConstraints& constraints, bool one_column);

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const RuledDemands& ruled() const { return ruled_; }
  [[nodiscard]] std::vector<TrafficBlock>& blocks() { return blocks_; }
  [[nodiscard]] const std::vector<TrafficBlock>& blocks() const { return blocks_; }
  [[nodiscard]] std::size_t column_count() const { return column_count_; }
  [[nodiscard]] std::span<const double> delay() const { return delay_; }                        ///< by link, seconds
  [[nodiscard]] std::span<const double> inverse_capacity() const { return inverse_capacity_; }  ///< 0: down

  /// The cheapest way to route a block that its rule allows, without its flows, into `tree`.
  /// @return  what the block's traffic pays at least: sum of rate x cheapest path
  double find_tree(const TrafficBlock& block, std::span<const double> price, BlockTree& tree);
  /// By target of the last `find_tree`: what the cheapest path costs at least.
  [[nodiscard]] std::span<const double> target_cost() const { return target_cost_; }
  /// What rates by target put on links when they follow a tree.
  void flows_of(const TrafficBlock& block, std::span<const double> rate, const BlockTree& tree,
                std::vector<LinkFlow>& flows);
  /// Utilisation of every link in every column, added up anew.
  void mix(std::vector<std::vector<double>>& utilization) const;
  /// The same, and trees of active blocks without traffic worth mention are forgotten.
  void add_up(std::vector<std::vector<double>>& utilization);
  /// Sets a block's rates, and its trees' flows after them.
  void set_rates(TrafficBlock& block, std::span<const double> rate);
  /// What utilisations are measured against from now on: by link, 1 / (bit/s); 0 for a link that is down.
  void set_inverse_capacity(std::span<const double> inverse) {
    inverse_capacity_.assign(inverse.begin(), inverse.end());
  }
  /// Moves the targets that are marked to another block of the same level, source and rule, or to a new one. They bring
  /// these rates, by target of `block`, and every target of either block keeps its split; trees without a share are
  /// forgotten where targets arrive.
  /// @return  the position of the block that they are in now, the last one if it is new
  std::size_t move_targets(std::size_t block, const std::vector<bool>& marked, std::span<const double> rate,
                           std::size_t into = kNewBlock);
  static constexpr std::size_t kNewBlock = 0xffffffff;

  /// Every connected pair of every class on its paths. Fractions below `fraction_min` are left out where others remain.
  [[nodiscard]] PathPlan make_plan(double fraction_min) const;
  /// Demands above zero on a path that breaks their class's rule, for want of another; in order.
  [[nodiscard]] std::vector<BrokenRule> broken_rules() const;
  /// Where a demand is routed: a block and one of its targets.
  struct Place {
    static constexpr std::uint32_t kNone = 0xffffffff;
    std::uint32_t block = kNone;  ///< kNone: no traffic
    std::uint32_t target = 0;
  };
  /// By class and pair, in the order of the demands of `make_plan`.
  [[nodiscard]] std::vector<Place> places() const;

 private:
  static constexpr std::uint32_t kNone = Place::kNone;

  void make_blocks();
  TrafficBlock& open_block(std::size_t level, std::size_t rule, NodeId source, std::uint32_t& at);
  std::size_t open_like(std::size_t block);
  [[nodiscard]] std::vector<BlockTree> join_mixtures(const TrafficBlock& to,
                                                     const std::vector<std::uint32_t>& place_in_to,
                                                     const TrafficBlock& from,
                                                     const std::vector<std::uint32_t>& place_of_arrival) const;
  void take_fixed_paths(const TrafficBlock& block, std::span<const double> price, BlockTree& tree);
  void settle_delays(const TrafficBlock& block, std::span<const double> price, BlockTree& tree);
  void path_of(const TrafficBlock& block, const BlockTree& tree, std::size_t target, std::vector<LinkId>& links) const;
  /// A demand's distinct paths; kept between demands for its memory.
  struct Split {
    std::vector<double> share;
    std::vector<std::vector<LinkId>> path;
    std::vector<LinkId> traced;
  };
  void add_split(PathPlanBuilder& builder, const Place& place, double fraction_min, Split& split) const;

  Topology topology_;
  TrafficMatrix traffic_;
  std::vector<std::size_t> level_of_class_;
  std::size_t level_count_ = 1;
  std::size_t column_count_ = 1;
  RuledDemands ruled_;
  std::vector<PathRule> rules_;
  std::vector<TrafficBlock> blocks_;
  std::vector<Place> places_;  // [level][ruled demand]
  bool one_column_;
  TreeSearchGraph graph_;
  TreeSearch search_;
  std::vector<double> delay_, inverse_capacity_;
  // Working memory of one search.
  std::vector<double> rule_price_, by_node_, tree_delay_, target_cost_;
  std::vector<std::uint32_t> waiting_, chain_;
  std::vector<NodeId> late_;
};

}  // namespace wan::controller
