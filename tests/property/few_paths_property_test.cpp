#include "controller/few_paths.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/planner.h"
#include "controller/segment_lists.h"
#include "controller/segment_search.h"
#include "core/link_load.h"
#include "core/random.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

constexpr std::uint64_t kSeeds = 150;

Topology with_drawn_weights(Rng& rng, const Topology& topology) {
  std::vector<Link> links{topology.links().begin(), topology.links().end()};
  for (Link& link : links) link.weight = 1.0 + static_cast<double>(rng.below(4));
  return Topology::make({topology.nodes().begin(), topology.nodes().end()}, std::move(links)).value();
}

struct Drawn {
  Topology topology;
  TrafficMatrix demand;
};

Drawn drawn(Rng& rng, std::size_t nodes, double capacity_decades = 1.0) {
  Topology topology = test::drawn_network(
      rng, {.nodes = nodes, .two_way_links = nodes + 2 + rng.below(nodes), .capacity_decades = capacity_decades});
  topology = with_drawn_weights(rng, topology);
  TrafficMatrix demand = test::drawn_demand(rng, nodes, 0.3 + 0.7 * rng.uniform(), 1e7);
  return {std::move(topology), std::move(demand)};
}

PlannedRoutes all_paths(const Drawn& network, double gap = 1e-4) {
  return plan_paths(network.topology, network.demand, {.gap = gap, .least_delay = false}).value();
}

/// The best plan of at most `k` paths a demand, by trying every choice of paths.
class EveryChoice {
 public:
  EveryChoice(const Topology& topology, const TrafficMatrix& demand, std::size_t k) : topology_{topology}, k_{k} {
    for (std::size_t s = 0; s < topology.node_count(); ++s) {
      for (std::size_t t = 0; t < topology.node_count(); ++t) {
        const double rate = demand.at(NodeId{s}, NodeId{t}).bps();
        if (rate == 0.0 || s == t) continue;
        commodities_.push_back({.paths = {}, .rate_bps = {rate}});
        paths_.push_back(test::simple_paths(topology, NodeId{s}, NodeId{t}));
        choices_ *= count(paths_.back().size());
      }
    }
  }
  [[nodiscard]] double choices() const { return choices_; }
  [[nodiscard]] double best() {
    best_ = std::numeric_limits<double>::infinity();
    choose(0, 0);
    return best_;
  }

 private:
  [[nodiscard]] double count(std::size_t paths) const {
    double ways = 1.0;
    for (std::size_t i = 0; i < std::min(k_, paths); ++i) {
      ways *= static_cast<double>(paths - i) / static_cast<double>(i + 1);
    }
    return ways;
  }
  /// Adds paths to demand number `d`, from path number `from` on.
  void choose(std::size_t d, std::size_t from) {
    if (d == commodities_.size()) {
      best_ = std::min(best_, test::best_mean_utilization(topology_, commodities_, 1));
      return;
    }
    auto& chosen = commodities_[d].paths;
    if (chosen.size() == std::min(k_, paths_[d].size())) {
      choose(d + 1, 0);
      return;
    }
    for (std::size_t p = from; p < paths_[d].size(); ++p) {
      chosen.push_back(paths_[d][p]);
      choose(d, p + 1);
      commodities_[d].paths.pop_back();
    }
  }

  const Topology& topology_;
  std::size_t k_;
  std::vector<test::Commodity> commodities_;
  std::vector<std::vector<std::vector<LinkId>>> paths_;
  double choices_ = 1.0;
  double best_ = 0.0;
};

}  // namespace

TEST_CASE("few paths come near the best choice of so many paths there is", "[few_paths][property]") {
  int tried = 0;
  double worst = 0.0, sum = 0.0;
  for (std::uint64_t seed = 1; tried < 60; ++seed) {
    REQUIRE(seed < 3000);
    Rng rng{seed, "every choice"};
    const std::size_t n = 3 + rng.below(4);
    Drawn network{test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(3), .capacity_decades = 0.5}),
                  TrafficMatrix{n}};
    for (std::size_t d = 2 + rng.below(3); d > 0; --d) {
      const std::size_t s = rng.below(n);
      network.demand.set(NodeId{s}, NodeId{(s + 1 + rng.below(n - 1)) % n}, BitRate::mbps(rng.exponential()));
    }
    const std::size_t k = 1 + rng.below(2);
    EveryChoice every{network.topology, network.demand, k};
    if (every.choices() < 20.0 || every.choices() > 4000.0) continue;
    const double best = every.best();
    if (!(best > 0.0)) continue;
    ++tried;
    const PlannedRoutes routes = all_paths(network);
    const auto few =
        reduce_paths(network.topology, network.demand, routes.plan, routes.certificate, {.paths_max = k, .gap = 1e-4});
    REQUIRE(few);
    const double ratio = few->certificate.utilization / best;
    CAPTURE(seed, k, best, routes.certificate.utilization, few->certificate.utilization);
    CHECK(ratio >= 1.0 - 1e-9);
    worst = std::max(worst, ratio);
    sum += ratio;
  }
  CAPTURE(worst, sum);
  CHECK(worst <= 1.25);        // one demand of a handful on the wrong path
  CHECK(sum / tried <= 1.02);  // found: 1.21 and 1.010
}

TEST_CASE("few paths keep what a plan promises", "[few_paths][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Rng rng{seed, "promises"};
    const Drawn network = drawn(rng, 3 + rng.below(8), 2.0);
    const PlannedRoutes routes = all_paths(network);
    for (const std::size_t k : {1U, 2U, 4U}) {
      const auto few = reduce_paths(network.topology, network.demand, routes.plan, routes.certificate,
                                    {.paths_max = k, .gap = 1e-4});
      CAPTURE(seed, k);
      REQUIRE(few);
      const auto checked = few->plan.check(network.topology);
      INFO((checked ? "" : checked.error().message));
      CHECK(checked);
      CHECK(most_paths(few->plan) <= k);
      CHECK(test::worst_split_error(few->plan) <= 1e-9);
      CHECK(std::ranges::equal(few->plan.demands(), routes.plan.demands()));
      CHECK(few->certificate.duals == routes.certificate.duals);
      CHECK(few->certificate.lower_bound == routes.certificate.lower_bound);
      CHECK(few->certificate.utilization == max_utilization(network.topology, few->plan, network.demand));
      CHECK(few->certificate.utilization >= few->certificate.lower_bound * (1.0 - 1e-9));
      CHECK(few->segments.empty());
      const auto again = reduce_paths(network.topology, network.demand, routes.plan, routes.certificate,
                                      {.paths_max = k, .gap = 1e-4});
      CHECK(again->plan == few->plan);
    }
  }
}

TEST_CASE("a plan keeps few of its own paths, and little is lost by it", "[few_paths][property]") {
  double lost = 0.0;
  int reduced = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Rng rng{seed, "own paths"};
    const Drawn network = drawn(rng, 6 + rng.below(8));
    const PathPlan plan = all_paths(network).plan;
    const double before = max_utilization(network.topology, plan, network.demand);
    CAPTURE(seed, before);
    CHECK(keep_few_paths(network.topology, network.demand, plan, most_paths(plan)) == plan);
    const PathPlan few = keep_few_paths(network.topology, network.demand, plan, 2);
    CHECK(few.check(network.topology));
    CHECK(most_paths(few) <= 2);
    CHECK(keep_few_paths(network.topology, network.demand, few, 2) == few);
    for (std::size_t d = 0; d < few.demand_count(); ++d) {
      for (std::size_t p = 0; p < few.path_count(d); ++p) {
        bool its_own = false;
        for (std::size_t q = 0; q < plan.path_count(d); ++q) {
          its_own = its_own || std::ranges::equal(few.path(d, p).links, plan.path(d, q).links);
        }
        REQUIRE(its_own);
      }
    }
    // Without traffic to go by, too, and whatever matrix that is.
    CHECK(most_paths(keep_few_paths(network.topology, TrafficMatrix{1}, plan, 2)) <= 2);
    if (few == plan || before <= 0.0) continue;
    ++reduced;
    lost += max_utilization(network.topology, few, network.demand) / before - 1.0;
  }
  CAPTURE(reduced, lost);
  REQUIRE(reduced > 10);
  CHECK(lost / reduced < 0.1);
}

TEST_CASE("more paths are never worse, and as many as the plan has are as good as the plan", "[few_paths][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Rng rng{seed, "more paths"};
    const Drawn network = drawn(rng, 3 + rng.below(6));
    const PlannedRoutes routes = all_paths(network);
    CAPTURE(seed);
    const auto all = reduce_paths(network.topology, network.demand, routes.plan, routes.certificate,
                                  {.paths_max = most_paths(routes.plan), .gap = 1e-4});
    REQUIRE(all);
    CHECK(all->certificate.utilization <= routes.certificate.utilization * (1.0 + 1e-9));
  }
}

TEST_CASE("the order of the nodes does not matter to few paths", "[few_paths][property]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng{seed, "node order"};
    const std::size_t n = 8 + rng.below(8);
    const Drawn network = drawn(rng, n);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = n; i-- > 1;) std::swap(order[i], order[rng.below(i + 1)]);
    Drawn other{network.topology, TrafficMatrix{n}};
    std::vector<Node> nodes(n);
    for (std::size_t v = 0; v < n; ++v) nodes[order[v]] = network.topology.nodes()[v];
    std::vector<Link> links{network.topology.links().begin(), network.topology.links().end()};
    for (Link& link : links) {
      link.from = NodeId{order[link.from.index()]};
      link.to = NodeId{order[link.to.index()]};
    }
    other.topology = Topology::make(std::move(nodes), std::move(links)).value();
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t t = 0; t < n; ++t) {
        other.demand.set(NodeId{order[s]}, NodeId{order[t]}, network.demand.at(NodeId{s}, NodeId{t}));
      }
    }
    const PlannedRoutes here = all_paths(network, 1e-3), there = all_paths(other, 1e-3);
    const FewPathsOptions options{.paths_max = 4, .gap = 2e-3};
    const auto few_here = reduce_paths(network.topology, network.demand, here.plan, here.certificate, options);
    const auto few_there = reduce_paths(other.topology, other.demand, there.plan, there.certificate, options);
    CAPTURE(seed);
    REQUIRE(few_here);
    REQUIRE(few_there);
    CHECK(few_here->certificate.gap() <= 2e-3 + 1e-9);
    CHECK(few_there->certificate.gap() <= 2e-3 + 1e-9);
  }
}

TEST_CASE("classes with splits of their own are reduced each by itself", "[few_paths]") {
  Rng rng{5, "classes"};
  const Drawn network = drawn(rng, 6);
  const PlannedRoutes routes = all_paths(network);
  TrafficMatrix two_classes{6, 2};
  PathPlanBuilder builder;
  for (std::size_t cls = 0; cls < 2; ++cls) {
    for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
      const Demand& demand = routes.plan.demands()[d];
      builder.begin_demand({TrafficClass{cls}, demand.from, demand.to});
      two_classes.set(TrafficClass{cls}, demand.from, demand.to, network.demand.at(demand.from, demand.to) * 0.5);
      for (std::size_t p = 0; p < routes.plan.path_count(d); ++p) {
        const auto [fraction, links] = routes.plan.path(d, p);
        builder.add_path(cls == 0 ? fraction : 1.0, links);  // class 1 splits evenly
      }
    }
  }
  const PathPlan plan = std::move(builder).build();
  const auto few = reduce_paths(network.topology, two_classes, plan, routes.certificate, {.paths_max = 2});
  REQUIRE(few);
  CHECK(few->plan.check(network.topology));
  CHECK(most_paths(few->plan) <= 2);
  CHECK(std::ranges::equal(few->plan.demands(), plan.demands()));
  CHECK(few->certificate.utilization == max_utilization(network.topology, few->plan, two_classes));
}

/// Where a list leads, by the table that it was written with: nothing when it depends on which of several ways is
/// taken.
std::vector<LinkId> expanded(IgpTable& igp, const Topology& topology, LinkId first, std::span<const PathSegment> list) {
  std::vector<LinkId> links{first};
  NodeId at = topology.link(first).to;
  for (const PathSegment& segment : list) {
    const NodeId target = segment.link() ? topology.link(*segment.link()).from : *segment.node();
    if (!igp.unique(at, target)) return {};
    while (at != target) {
      links.push_back(*igp.next(at, target));
      at = topology.link(links.back()).to;
    }
    if (!segment.link()) continue;
    links.push_back(*segment.link());
    at = topology.link(links.back()).to;
  }
  return links;
}

TEST_CASE("within a segment depth every list leads along its path, and is as short as asked", "[few_paths][property]") {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Rng rng{seed, "segment depth"};
    const Drawn network = drawn(rng, 4 + rng.below(8));
    const PlannedRoutes routes = all_paths(network);
    const std::size_t depth = 1 + rng.below(4);
    const auto few = reduce_paths(network.topology, network.demand, routes.plan, routes.certificate,
                                  {.paths_max = 4, .sid_depth = depth, .gap = 1e-3});
    CAPTURE(seed, depth);
    if (!few) {
      ++refused;
      CHECK(few.error().code == ErrorCode::kUnsupported);
      continue;
    }
    CHECK(few->plan.check(network.topology));
    CHECK(most_paths(few->plan) <= 4);
    REQUIRE(few->segments.size() == few->plan.path_count());
    IgpTable igp{network.topology};
    std::size_t path = 0;
    for (std::size_t d = 0; d < few->plan.demand_count(); ++d) {
      for (std::size_t p = 0; p < few->plan.path_count(d); ++p, ++path) {
        const auto links = few->plan.path(d, p).links;
        const auto list = few->segments.list(path);
        CHECK(list.size() <= depth);
        CHECK(std::ranges::equal(expanded(igp, network.topology, links[0], list), links));
        CHECK(list.back() == PathSegment::to(few->plan.demands()[d].to));
      }
    }
  }
  CHECK(refused < 60);
}

TEST_CASE("the segment search finds the cheapest path that so many segments describe", "[few_paths][property]") {
  int described = 0, undescribed = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    Rng rng{seed, "segment search"};
    const std::size_t n = 3 + rng.below(4);
    const Topology topology = drawn(rng, n).topology;
    std::vector<double> cost(topology.link_count());
    for (double& entry : cost) entry = rng.uniform() < 0.2 ? 0.0 : rng.uniform();
    const std::size_t depth = 1 + rng.below(3);
    IgpTable igp{topology};
    SegmentSearch search{topology, igp, depth};
    search.set_costs(cost);
    for (std::size_t s = 0; s < n; ++s) {
      search.run(NodeId{s});
      for (std::size_t t = 0; t < n; ++t) {
        if (s == t) continue;
        double cheapest = std::numeric_limits<double>::infinity();
        const auto cost_of = [&](const auto& links) {
          double total = 0.0;
          for (const LinkId link : links) total += cost[link.index()];
          return total;
        };
        for (const auto& links : test::simple_paths(topology, NodeId{s}, NodeId{t})) {
          const auto list = path_segments(igp, topology, links, depth);
          if (list && list->size() <= depth) cheapest = std::min(cheapest, cost_of(links));
        }
        CAPTURE(seed, depth, s, t, cheapest);
        if (!std::isfinite(cheapest)) {
          ++undescribed;
          CHECK(search.cost(NodeId{t}) == cheapest);
          continue;
        }
        ++described;
        const auto found = search.path_to(NodeId{t});
        std::vector<LinkId> links;
        for (const std::uint32_t link : found) links.emplace_back(link);
        CHECK(cost_of(links) == Approx(cheapest).margin(1e-12));
        CHECK(search.cost(NodeId{t}) == Approx(cheapest).margin(1e-12));
        CHECK(path_segments(igp, topology, links, depth).value().size() <= depth);
        CHECK(topology.link(links.front()).from == NodeId{s});
        CHECK(topology.link(links.back()).to == NodeId{t});
      }
    }
  }
  CHECK(described > 500);
  CHECK(undescribed > 5);
}

}  // namespace wan::controller
