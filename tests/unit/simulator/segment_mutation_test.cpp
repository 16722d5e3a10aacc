#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/shortest_paths.h"
#include "simulator/program/plan_verifier.h"

// Segment lists, limits and weights are changed at random, and the verifier's verdict is compared with a plainer one:
// every simple path between two nodes is written down, and a segment leads over the only cheapest of them or nowhere.

namespace wan::simulator {
namespace {

constexpr std::size_t kNodes = 6;

Topology drawn_network(Rng& rng) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < kNodes; ++n) nodes.push_back({std::string(1, static_cast<char>('A' + n)), std::nullopt});
  std::vector<Link> links;
  const auto add = [&](std::size_t from, std::size_t to, double weight) {
    links.push_back({.name = nodes[from].name + nodes[to].name + std::to_string(links.size()),
                     .from = NodeId{from},
                     .to = NodeId{to},
                     .capacity = BitRate::mbps(10.0),
                     .weight = weight,
                     .srlgs = {}});
  };
  for (std::size_t n = 0; n < kNodes; ++n) {
    add(n, (n + 1) % kNodes, 1.0 + static_cast<double>(rng.below(3)));
    add((n + 1) % kNodes, n, 1.0 + static_cast<double>(rng.below(3)));
  }
  for (int chord = 0; chord < 4; ++chord) {
    const std::size_t from = rng.below(kNodes);
    add(from, (from + 1 + rng.below(kNodes - 1)) % kNodes, 1.0 + static_cast<double>(rng.below(4)));
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

/// All simple paths of least weight; weights are small whole numbers, so sums are exact.
class CheapestPaths {
 public:
  CheapestPaths(const Topology& topology, NodeId from, NodeId to) : topology_{topology}, to_{to}, met_(kNodes, false) {
    visit(from, 0.0);
  }
  /// The only one; nothing where there are several or none.
  [[nodiscard]] std::optional<std::vector<LinkId>> only() const {
    return found_.size() == 1 ? std::optional{found_[0]} : std::nullopt;
  }

 private:
  void visit(NodeId at, double weight) {
    if (at == to_) {
      if (weight < least_) found_.clear();
      if (weight <= least_) found_.push_back(links_);
      least_ = std::min(least_, weight);
      return;
    }
    met_[at.index()] = true;
    for (const LinkId id : topology_.out_links(at)) {
      const Link& link = topology_.link(id);
      if (met_[link.to.index()]) continue;
      links_.push_back(id);
      visit(link.to, weight + link.weight);
      links_.pop_back();
    }
    met_[at.index()] = false;
  }

  const Topology& topology_;
  NodeId to_;
  std::vector<bool> met_;
  std::vector<LinkId> links_;
  std::vector<std::vector<LinkId>> found_;
  double least_ = INFINITY;
};

/// Whether a list leads along exactly these links and ends with the last node.
bool leads_along(const Topology& topology, std::span<const LinkId> links, const std::vector<PathSegment>& list) {
  std::vector<LinkId> walked{links[0]};
  for (const PathSegment& segment : list) {
    const NodeId at = topology.link(walked.back()).to;
    const NodeId target = segment.link() ? topology.link(*segment.link()).from : *segment.node();
    const auto way = CheapestPaths{topology, at, target}.only();
    if (!way) return false;
    walked.insert(walked.end(), way->begin(), way->end());
    if (segment.link()) walked.push_back(*segment.link());
  }
  return std::ranges::equal(walked, links) && !list.empty() && list.back().node() == topology.link(links.back()).to;
}

struct Steered {
  Topology topology;
  io::PlanFile plan;
  std::vector<std::vector<PathSegment>> lists;  // by path
};

/// One demand on two or three paths, each link of which is a segment of its own.
Steered drawn_plan(Rng& rng) {
  Steered made{.topology = drawn_network(rng), .plan = {}, .lists = {}};
  const NodeId from{rng.below(kNodes)};
  const NodeId to{(from.index() + 1 + rng.below(kNodes - 1)) % kNodes};
  PathPlanBuilder builder;
  builder.begin_demand({TrafficClass{0}, from, to});
  for (int p = 0; p < 3; ++p) {
    std::vector<double> cost;
    for (std::size_t l = 0; l < made.topology.link_count(); ++l) cost.push_back(0.2 + rng.uniform());
    builder.add_path(0.1 + rng.uniform(), shortest_path_tree(made.topology, from, cost).path_to(made.topology, to));
  }
  made.plan.plan = std::move(builder).build();
  made.plan.certificate.duals.assign(made.topology.link_count(), 0.0);
  std::size_t longest = 1;
  for (std::size_t p = 0; p < made.plan.plan.path_count(0); ++p) {
    const auto links = made.plan.plan.path(0, p).links;
    std::vector<PathSegment> list;
    for (const LinkId link : links.subspan(1)) list.push_back(PathSegment::across(link));
    list.push_back(PathSegment::to(to));
    longest = std::max(longest, list.size());
    made.lists.push_back(std::move(list));
  }
  made.plan.limits = {.paths_max = made.plan.plan.path_count(0), .sid_depth = longest};
  return made;
}

PathSegment drawn_segment(Rng& rng, const Topology& topology) {
  return rng.below(2) == 0 ? PathSegment::to(NodeId{rng.below(kNodes)})
                           : PathSegment::across(LinkId{rng.below(topology.link_count())});
}

void mutate(Steered& mutant, Rng& rng) {
  auto& list = mutant.lists[rng.below(mutant.lists.size())];
  switch (rng.below(7)) {
    case 0:
      list[rng.below(list.size())] = drawn_segment(rng, mutant.topology);
      return;
    case 1:
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(rng.below(list.size())));
      return;
    case 2:
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(rng.below(list.size() + 1)),
                  drawn_segment(rng, mutant.topology));
      return;
    case 3: {  // a link's segment becomes one of its far end: may or may not lead over the link
      PathSegment& segment = list[rng.below(list.size())];
      if (segment.link()) segment = PathSegment::to(mutant.topology.link(*segment.link()).to);
      return;
    }
    case 4: {  // the IGP is left more of the way
      const std::size_t kept = rng.below(list.size());
      list.erase(list.begin(), list.end() - 1 - static_cast<std::ptrdiff_t>(kept));
      return;
    }
    case 5: {
      std::vector<Link> links{mutant.topology.links().begin(), mutant.topology.links().end()};
      links[rng.below(links.size())].weight = 1.0 + static_cast<double>(rng.below(4));
      mutant.topology =
          Topology::make({mutant.topology.nodes().begin(), mutant.topology.nodes().end()}, std::move(links)).value();
      return;
    }
    default:
      if (rng.below(2) == 0) {
        mutant.plan.limits.paths_max = 1 + rng.below(3);
      } else {
        mutant.plan.limits.sid_depth = 1 + rng.below(5);
      }
  }
}

TEST_CASE("changed segment lists are refused, or lead along their paths", "[verifier][segments][property]") {
  std::size_t accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng{seed, "segment mutations"};
    const Steered original = drawn_plan(rng);
    for (int m = 0; m < 40; ++m) {
      Steered mutant = original;
      for (std::uint64_t changes = m == 0 ? 0 : 1 + rng.below(2); changes > 0; --changes) {
        if (std::ranges::none_of(mutant.lists, [](const auto& list) { return list.empty(); })) mutate(mutant, rng);
      }
      mutant.plan.topology_digest = mutant.topology.digest();
      bool sound = mutant.lists.size() <= *mutant.plan.limits.paths_max;
      for (std::size_t p = 0; p < mutant.lists.size(); ++p) {
        mutant.plan.segments.add(mutant.lists[p]);
        sound = sound && mutant.lists[p].size() <= *mutant.plan.limits.sid_depth &&
                leads_along(mutant.topology, mutant.plan.plan.path(0, p).links, mutant.lists[p]);
      }
      const auto verdict = verify_plan(mutant.topology, TrafficMatrix{kNodes}, mutant.plan);
      CAPTURE(seed, m, (verdict ? "accepted" : verdict.error().message));
      REQUIRE(verdict.has_value() == sound);
      ++(verdict ? accepted : refused);
    }
  }
  CHECK(accepted > 1000);
  CHECK(refused > 3000);
}

}  // namespace
}  // namespace wan::simulator
