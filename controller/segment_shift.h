#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/balance_step.h"
#include "controller/batch_tree_search.h"
#include "controller/flow_network.h"

namespace wan::controller {

/// Utilisation of every bundle and the price that it makes there: the slope of what a solver minimises.
///
///     cost = e^(sharpness (utilisation - reference)) / capacity + delay_weight x delay
///
/// Threads: one owner.
struct PricedLinks {
  explicit PricedLinks(const FlowNetwork& flow_network);

  /// All prices anew; costs are raised to what shortest-path runs can tell apart.
  void refresh();
  /// One bundle's utilisation changes, and its price with it.
  void add_load(std::uint32_t bundle, double bps);
  [[nodiscard]] double highest_utilization() const;

  const FlowNetwork* network;
  double sharpness = 1.0;                        ///< in 1 / utilisation
  double reference = 0.0;                        ///< utilisation whose price is 1 / capacity
  double delay_weight = 0.0;                     ///< per second
  std::vector<double> utilization, price, cost;  ///< by bundle; price without, cost with delay
};

/// A shortest-path tree of one source, one lane of a batch.
struct TreeView {
  std::uint32_t source;
  std::span<const std::uint32_t> parent_link;  ///< [node][lane]
  std::size_t lane;
  [[nodiscard]] std::uint32_t parent(std::uint32_t node) const {
    return parent_link[node * BatchTreeSearch::kLanes + lane];
  }
};

/// Pairs of segments between which sources traded traffic, kept in flat arrays to trade between them again.
struct SegmentPairs {
  struct Pair {
    std::size_t slot;   ///< the source's
    std::size_t first;  ///< in `bundles`: those of the segment that was dear, then those of the cheap one
    std::size_t dear_end, cheap_end;
  };
  std::vector<Pair> pairs;
  std::vector<std::uint32_t> bundles;

  void clear();
  void add(std::size_t slot, std::span<const std::uint32_t> dear, std::span<const std::uint32_t> cheap);
};

/// Moves one source's traffic from a segment that is dear to the tree's way, exactly as far as pays.
///
/// The dear segment ends with a given bundle and goes back along the source's fullest bundles to the first node that
/// the tree's way to the bundle's end passes too; both ways between these two nodes trade traffic until their prices
/// weigh the same. Circles that are met are lifted off the network. Never raises what PricedLinks is the slope of.
/// Threads: one owner. Cost: the two segments' length.
/// Source: pairs of alternative segments, Bar-Gera, "Traffic assignment by paired alternative segments",
///         Transportation Research B 2010; here with a soft maximum for the cost and a tree for the cheap segment.
class SegmentShift {
 public:
  explicit SegmentShift(const FlowNetwork& network);

  enum class Outcome : std::uint8_t {
    kNothing,   ///< not worth while
    kBalanced,  ///< both segments weigh the same now
    kUsedUp,    ///< all that the dear segment carried has moved: another one may end with the same bundle
  };
  /// @param flow   of the source, by bundle, bits per second; changed, and `links` with it
  /// @param slot   the source's, for the pair
  /// @param pairs  gets the two segments when they end balanced
  Outcome run(std::uint32_t bundle, const TreeView& tree, std::span<double> flow, PricedLinks& links, std::size_t slot,
              SegmentPairs& pairs);
  /// The two segments of a pair trade again, whichever is the dear one now.
  /// @param worth  part of the dear one's price by which the other must be cheaper
  Outcome run_again(const SegmentPairs& pairs, const SegmentPairs::Pair& pair, std::span<double> flow,
                    PricedLinks& links, double worth);

 private:
  struct Mark {
    std::uint64_t run = 0;
    std::size_t length = 0;  // of the segment when it met the node
  };
  /// Finds both segments; kNothing when there is no dear one, kUsedUp when a circle was lifted instead.
  Outcome find_segments(std::uint32_t bundle, const TreeView& tree, std::span<double> flow, PricedLinks& links);
  Outcome trade(std::span<const std::uint32_t> dear, std::span<const std::uint32_t> cheap, std::span<double> flow,
                PricedLinks& links);
  [[nodiscard]] std::uint32_t fullest_into(std::uint32_t node, std::span<const double> flow) const;
  void lift_circle(std::size_t first, std::span<double> flow, PricedLinks& links);

  const FlowNetwork* network_;
  std::uint64_t run_ = 0;
  std::vector<Mark> dear_mark_, cheap_mark_;  // by node
  std::vector<std::uint32_t> dear_, cheap_;   // bundles, from the end backwards
  BalanceStep balance_;
};

}  // namespace wan::controller
