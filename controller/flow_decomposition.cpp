#include "controller/flow_decomposition.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "controller/worker_team.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kNegligible = 1e-6;  // of a demand

/// The paths of one source's demands, by destination, in flat arrays.
struct SourcePaths {
  std::vector<std::uint32_t> first_path{0};  // destination -> its first path
  std::vector<double> fraction;              // by path
  std::vector<std::size_t> first_link{0};    // path -> its first link
  std::vector<LinkId> links;

  void add_path(double share, std::span<const LinkId> path) {
    fraction.push_back(share);
    links.insert(links.end(), path.begin(), path.end());
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

/// Takes one source's flow apart; keeps its working memory for the next one.
class Decomposer {
 public:
  Decomposer(const Topology& topology, const TrafficMatrix& demand, std::span<const double> delay)
      : topology_{topology}, demand_{demand}, delay_{delay}, flow_(topology.link_count()), met_(topology.node_count()) {}

  SourcePaths run(NodeId source, const FlowOfSource& flow_of, double fraction_min) {
    SourcePaths paths;
    const bool sends = flow_of(source, flow_);
    std::optional<ShortestPathTree> shortest;  // found when it is needed
    for (std::size_t t = 0; t < topology_.node_count(); ++t) {
      const NodeId to{t};
      const double rate = sends && to != source ? demand_.at(source, to).bps() : 0.0;
      const std::size_t before = paths.fraction.size();
      if (rate > 0.0) take_demand(source, to, rate, paths);
      if (to != source && paths.fraction.size() == before) {
        if (!shortest) shortest = shortest_path_tree(topology_, source, delay_);
        if (shortest->reaches(to)) paths.add_path(1.0, shortest->path_to(topology_, to));
      }
      paths.close_destination(fraction_min);
    }
    return paths;
  }

 private:
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
      for (const LinkId id : backwards_) amount = std::min(amount, flow_[id.index()]);
      for (const LinkId id : backwards_) flow_[id.index()] -= amount;
      left -= amount;
      std::reverse(backwards_.begin(), backwards_.end());
      paths.add_path(amount, backwards_);
    }
  }

  /// Along the fullest link each time, into `backwards_`. Links of a circle are lowered by the circle's flow, and the
  /// walk starts anew. False when the flow towards `to` is used up.
  bool walk_back(NodeId source, NodeId to, double negligible) {
    start_walk(to);
    for (NodeId at = to; at != source;) {
      LinkId best;
      double most = negligible;
      for (const LinkId id : topology_.in_links(at)) {
        if (flow_[id.index()] > most) {
          most = flow_[id.index()];
          best = id;
        }
      }
      if (most == negligible) return false;
      backwards_.push_back(best);
      at = topology_.link(best).from;
      Visit& visit = met_[at.index()];
      if (visit.walk != walk_) {
        visit = {walk_, backwards_.size()};
        continue;
      }
      empty_circle(visit.length);
      start_walk(to);
      at = to;
    }
    return true;
  }

  void start_walk(NodeId to) {
    backwards_.clear();
    met_[to.index()] = {++walk_, 0};
  }

  void empty_circle(std::size_t first) {
    double least = flow_[backwards_.back().index()];
    for (std::size_t i = first; i < backwards_.size(); ++i) least = std::min(least, flow_[backwards_[i].index()]);
    for (std::size_t i = first; i < backwards_.size(); ++i) flow_[backwards_[i].index()] -= least;
  }

  const Topology& topology_;
  const TrafficMatrix& demand_;
  std::span<const double> delay_;
  std::vector<double> flow_;  // by link: what is left of the source's flow
  std::vector<Visit> met_;    // by node
  std::uint64_t walk_ = 0;
  std::vector<LinkId> backwards_;
};

PathPlan join(const std::vector<SourcePaths>& sources, std::size_t class_count) {
  std::size_t paths = 0;
  std::size_t links = 0;
  for (const SourcePaths& source : sources) {
    paths += source.fraction.size();
    links += source.links.size();
  }
  PathPlanBuilder builder;
  builder.reserve(class_count * sources.size() * sources.size(), class_count * paths, class_count * links);
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t s = 0; s < sources.size(); ++s) {
      const SourcePaths& source = sources[s];
      for (std::size_t t = 0; t < sources.size(); ++t) {
        if (source.first_path[t] == source.first_path[t + 1]) continue;
        builder.begin_demand({TrafficClass{cls}, NodeId{s}, NodeId{t}});
        for (std::size_t p = source.first_path[t]; p < source.first_path[t + 1]; ++p) {
          builder.add_path(source.fraction[p], std::span{source.links}.subspan(
                                                   source.first_link[p], source.first_link[p + 1] - source.first_link[p]));
        }
      }
    }
  }
  return std::move(builder).build();
}

}  // namespace

PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand, const FlowOfSource& flow_of,
                         const DecompositionOptions& options) {
  const std::size_t n = topology.node_count();
  const std::vector<double> delay = delay_costs(topology);
  std::vector<SourcePaths> sources(n);
  WorkerTeam team{static_cast<std::size_t>(std::max(1, options.threads))};
  std::vector<Decomposer> decomposers(team.size(), Decomposer{topology, demand, delay});
  team.run([&](std::size_t member) {
    for (std::size_t s = member; s < n; s += team.size()) {
      sources[s] = decomposers[member].run(NodeId{s}, flow_of, options.fraction_min);
    }
  });
  return join(sources, options.class_count);
}

PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                         const std::vector<std::vector<double>>& flow, std::size_t class_count) {
  return decompose_flows(
      topology, demand,
      [&flow](NodeId source, std::span<double> by_link) {
        std::copy(flow[source.index()].begin(), flow[source.index()].end(), by_link.begin());
        return true;
      },
      {.class_count = class_count});
}

}  // namespace wan::controller
