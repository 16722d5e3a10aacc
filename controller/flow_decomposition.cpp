#include "controller/flow_decomposition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "controller/worker_team.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kNegligible = 1e-6;  // of a demand
constexpr std::size_t kChunk = 32;    // sources taken apart before their paths join the plan

/// The paths of one source's demands, by destination, in flat arrays.
struct SourcePaths {
  std::vector<std::uint32_t> first_path{0};  // destination -> its first path
  std::vector<double> fraction;              // by path
  std::vector<std::size_t> first_link{0};    // path -> its first link
  std::vector<LinkId> links;

  void clear() {
    first_path.assign(1, 0);
    fraction.clear();
    first_link.assign(1, 0);
    links.clear();
  }
  void add_path(double share, std::span<const LinkId> path) {
    fraction.push_back(share);
    links.insert(links.end(), path.begin(), path.end());
    first_link.push_back(links.size());
  }
  /// A path that begins like the links from number `begin` on, which are here already, and ends with others.
  void add_path(double share, std::size_t begin, std::size_t length, std::span<const LinkId> end_backwards) {
    fraction.push_back(share);
    const std::size_t at = links.size();
    links.resize(at + length + end_backwards.size());
    std::copy_n(links.begin() + static_cast<std::ptrdiff_t>(begin), length,
                links.begin() + static_cast<std::ptrdiff_t>(at));
    std::reverse_copy(end_backwards.begin(), end_backwards.end(),
                      links.begin() + static_cast<std::ptrdiff_t>(at + length));
    first_link.push_back(links.size());
  }
  void close_destination(double fraction_min) {
    const std::size_t first = first_path.back();
    if (first < fraction.size()) drop_small(first, fraction_min);
    first_path.push_back(static_cast<std::uint32_t>(fraction.size()));
  }

 private:
  void drop_small(std::size_t first, double fraction_min) {
    double sum = 0.0;
    double largest = 0.0;
    for (std::size_t p = first; p < fraction.size(); ++p) {
      sum += fraction[p];
      largest = std::max(largest, fraction[p]);
    }
    const double least = std::min(fraction_min * sum, largest);
    std::size_t to = first;
    for (std::size_t p = first; p < fraction.size(); ++p) {
      if (fraction[p] < least) continue;
      if (to != p) {
        const auto from = static_cast<std::ptrdiff_t>(first_link[p]);
        const auto end = static_cast<std::ptrdiff_t>(first_link[p + 1]);
        const auto place = static_cast<std::ptrdiff_t>(first_link[to]);
        std::copy(links.begin() + from, links.begin() + end, links.begin() + place);
        first_link[to + 1] = first_link[to] + static_cast<std::size_t>(end - from);
        fraction[to] = fraction[p];
      }
      ++to;
    }
    fraction.resize(to);
    first_link.resize(to + 1);
    links.resize(first_link.back());
  }
};

/// Where links come from and which enter a node, in flat arrays: walks touch nothing else.
struct Incoming {
  explicit Incoming(const Topology& topology) {
    for (const Link& link : topology.links()) from.push_back(static_cast<std::uint32_t>(link.from.index()));
    first.push_back(0);
    for (std::size_t node = 0; node < topology.node_count(); ++node) {
      for (const LinkId id : topology.in_links(NodeId{node})) links.push_back(static_cast<std::uint32_t>(id.index()));
      first.push_back(static_cast<std::uint32_t>(links.size()));
    }
  }
  std::vector<std::uint32_t> from;   // by link
  std::vector<std::uint32_t> first;  // node -> its first in `links`; one more than nodes
  std::vector<std::uint32_t> links;
};

/// Takes one source's flow apart; keeps its working memory for the next one.
class Decomposer {
 public:
  Decomposer(const Topology& topology, const Incoming& incoming, const TrafficMatrix& demand,
             std::span<const double> delay)
      : topology_{topology},
        incoming_{incoming},
        demand_{demand},
        delay_{delay},
        flow_(topology.link_count()),
        only_in_(topology.node_count()),
        only_way_(topology.node_count()),
        met_(topology.node_count()) {}

  void run(NodeId source, const FlowOfSource& flow_of, double fraction_min, SourcePaths& paths) {
    paths.clear();
    const bool sends = flow_of(source, flow_);
    if (sends) find_only_ways();
    std::optional<ShortestPathTree> shortest;  // found when it is needed
    for (std::size_t t = 0; t < topology_.node_count(); ++t) {
      const NodeId to{t};
      const double rate = sends && to != source ? demand_.at(source, to).bps() : 0.0;
      const std::size_t before = paths.fraction.size();
      if (rate > 0.0 && !take_only_way(source, to, rate, paths)) take_demand(source, to, rate, paths);
      if (to != source && paths.fraction.size() == before) {
        if (!shortest) shortest = shortest_path_tree(topology_, source, delay_);
        if (shortest->reaches(to)) paths.add_path(1.0, shortest->path_to(topology_, to));
      }
      paths.close_destination(fraction_min);
    }
  }

 private:
  static constexpr std::uint32_t kSeveral = UINT32_MAX;

  /// A way from the source that the flow does not leave: where it stands among the links of the paths so far.
  struct OnlyWay {
    enum class State : std::uint8_t { kUnknown, kFound, kNone } state = State::kUnknown;
    std::size_t first = 0;
    std::size_t length = 0;
  };

  struct Visit {
    std::uint64_t walk = 0;
    std::size_t length = 0;  // of the walk when it met the node
  };

  void take_demand(NodeId source, NodeId to, double rate, SourcePaths& paths) {
    const double negligible = rate * kNegligible;
    double left = rate;
    while (left > negligible) {
      if (!walk_back(source, to, negligible)) break;
      double amount = left;
      for (const LinkId id : chosen_) amount = std::min(amount, flow_[id.index()]);
      for (const LinkId id : chosen_) flow_[id.index()] -= amount;
      left -= amount;
      paths.add_path(amount, before_.first, before_.length, backwards_);
    }
  }

  /// Where the source's flow has one way to the destination, the path is that: the way of a node passed before and what
  /// comes after it.
  bool take_only_way(NodeId source, NodeId to, double rate, SourcePaths& paths) {
    backwards_.clear();
    std::size_t at = to.index();
    bool found = true;
    while (at != source.index() && only_way_[at].state != OnlyWay::State::kFound) {
      const std::uint32_t link = only_in_[at];
      found = link != kSeveral && only_way_[at].state != OnlyWay::State::kNone && backwards_.size() < only_in_.size();
      if (!found) break;
      backwards_.push_back(LinkId{link});
      at = incoming_.from[link];
    }
    if (!found) {
      for (const LinkId id : backwards_) only_way_[topology_.link(id).to.index()].state = OnlyWay::State::kNone;
      return false;
    }
    const OnlyWay before = only_way_[at];
    only_way_[to.index()] = {
        .state = OnlyWay::State::kFound, .first = paths.links.size(), .length = before.length + backwards_.size()};
    paths.add_path(rate, before.first, before.length, backwards_);
    return true;
  }

  /// Nodes that the source's flow enters by one link alone: all that passes them came that way, so walks need neither
  /// look for it nor keep account of it.
  void find_only_ways() {
    only_way_.assign(only_way_.size(), {});
    for (std::size_t node = 0; node < only_in_.size(); ++node) {
      only_in_[node] = kSeveral;
      std::uint32_t entered_by = 0;
      std::size_t count = 0;
      for (std::uint32_t i = incoming_.first[node]; i < incoming_.first[node + 1]; ++i) {
        if (flow_[incoming_.links[i]] <= 0.0) continue;
        entered_by = incoming_.links[i];
        ++count;
      }
      if (count == 1) only_in_[node] = entered_by;
    }
  }

  /// Along the fullest link each time, into `backwards_`, until the rest is known (`before_`); what there was a choice
  /// of, also into `chosen_`. Links of a circle are lowered by the circle's flow, and the walk starts anew. False when
  /// the flow towards `to` is used up.
  bool walk_back(NodeId source, NodeId to, double negligible) {
    start_walk(to);
    for (std::size_t at = to.index(); at != source.index();) {
      if (only_way_[at].state == OnlyWay::State::kFound) {
        before_ = only_way_[at];
        break;
      }
      std::uint32_t best = only_in_[at];
      if (best == kSeveral) {
        double most = negligible;
        for (std::uint32_t i = incoming_.first[at]; i < incoming_.first[at + 1]; ++i) {
          const std::uint32_t link = incoming_.links[i];
          if (flow_[link] > most) {
            most = flow_[link];
            best = link;
          }
        }
        if (most == negligible) return false;
        chosen_.push_back(LinkId{best});
      }
      backwards_.push_back(LinkId{best});
      at = incoming_.from[best];
      Visit& visit = met_[at];
      if (visit.walk != walk_) {
        visit = {walk_, backwards_.size()};
        continue;
      }
      if (!empty_circle(visit.length)) return false;
      start_walk(to);
      at = to.index();
    }
    return true;
  }

  void start_walk(NodeId to) {
    before_ = {};
    backwards_.clear();
    chosen_.clear();
    met_[to.index()] = {++walk_, 0};
  }

  /// False when the source's flow nowhere enters the circle.
  bool empty_circle(std::size_t first) {
    const std::span circle = std::span{backwards_}.subspan(first);
    const auto is_choice = [this](LinkId id) { return only_in_[topology_.link(id).to.index()] == kSeveral; };
    double least = std::numeric_limits<double>::infinity();
    for (const LinkId id : circle) least = is_choice(id) ? std::min(least, flow_[id.index()]) : least;
    for (const LinkId id : circle) flow_[id.index()] -= is_choice(id) ? least : 0.0;
    return std::isfinite(least);
  }

  const Topology& topology_;
  const Incoming& incoming_;
  const TrafficMatrix& demand_;
  std::span<const double> delay_;
  std::vector<double> flow_;            // by link: what is left of the source's flow
  std::vector<std::uint32_t> only_in_;  // by node: the one link that enters it, or kSeveral
  std::vector<OnlyWay> only_way_;       // by node
  OnlyWay before_;                      // how the present walk begins
  std::vector<Visit> met_;              // by node
  std::uint64_t walk_ = 0;
  std::vector<LinkId> backwards_;
  std::vector<LinkId> chosen_;  // those of them that enter a node with several
};

void add_source(PathPlanBuilder& builder, NodeId source, const SourcePaths& paths) {
  for (std::size_t t = 0; t + 1 < paths.first_path.size(); ++t) {
    if (paths.first_path[t] == paths.first_path[t + 1]) continue;
    builder.begin_demand({TrafficClass{0}, source, NodeId{t}});
    for (std::size_t p = paths.first_path[t]; p < paths.first_path[t + 1]; ++p) {
      builder.add_path(paths.fraction[p], std::span{paths.links}.subspan(
                                              paths.first_link[p], paths.first_link[p + 1] - paths.first_link[p]));
    }
  }
}

/// The plan of class 0 for every class.
PathPlan for_each_class(const PathPlan& plan, std::size_t class_count) {
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      builder.begin_demand({TrafficClass{cls}, plan.demands()[d].from, plan.demands()[d].to});
      for (std::size_t p = 0; p < plan.path_count(d); ++p)
        builder.add_path(plan.path(d, p).fraction, plan.path(d, p).links);
    }
  }
  return std::move(builder).build();
}

}  // namespace

PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand, const FlowOfSource& flow_of,
                         const DecompositionOptions& options) {
  const std::size_t n = topology.node_count();
  const std::vector<double> delay = delay_costs(topology);
  const Incoming incoming{topology};
  WorkerTeam team{static_cast<std::size_t>(std::max(1, options.threads))};
  std::vector<Decomposer> decomposers(team.size(), Decomposer{topology, incoming, demand, delay});
  const std::size_t chunk = team.size() == 1 ? 1 : kChunk;
  std::vector<SourcePaths> paths(chunk);
  PathPlanBuilder builder;
  std::size_t path_total = 0;
  std::size_t link_total = 0;
  for (std::size_t first = 0; first < n; first += chunk) {
    const std::size_t last = std::min(first + chunk, n);
    team.run([&](std::size_t member) {
      for (std::size_t s = first + member; s < last; s += team.size()) {
        decomposers[member].run(NodeId{s}, flow_of, options.fraction_min, paths[s - first]);
      }
    });
    for (std::size_t s = first; s < last; ++s) {
      path_total += paths[s - first].fraction.size();
      link_total += paths[s - first].links.size();
      // Room for all sources as these were, and a little more: growing moves everything.
      if (s == std::min(kChunk, n) - 1) {
        builder.reserve(n * (n - 1), path_total * n / (s + 1) * 9 / 8, link_total * n / (s + 1) * 9 / 8);
      }
      add_source(builder, NodeId{s}, paths[s - first]);
    }
  }
  PathPlan plan = std::move(builder).build();
  return options.class_count == 1 ? std::move(plan) : for_each_class(plan, options.class_count);
}

PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                         const std::vector<std::vector<double>>& flow, std::size_t class_count) {
  return decompose_flows(topology, demand,
                         [&flow](NodeId source, std::span<double> by_link) {
                           std::copy(flow[source.index()].begin(), flow[source.index()].end(), by_link.begin());
                           return true;
                         },
                         {.class_count = class_count});
}

}  // namespace wan::controller
