#include "tests/property/class_wishes.h"

#include <algorithm>

#include "core/random.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::test {
namespace {

using Links = std::vector<LinkId>;

Duration delay_of(const Topology& topology, const Links& links) {
  Duration delay{0};
  for (const LinkId link : links) delay += topology.link(link).delay;
  return delay;
}

void draw_rules(Rng& rng, const Topology& topology, controller::ClassPolicy& policy) {
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (rng.below(6) == 0) policy.avoid.emplace_back(l);
  }
  if (rng.below(2) == 0) policy.latency_max = Duration{static_cast<std::int64_t>(5e6 + rng.uniform() * 2.5e7)};
}

void draw_pin(Rng& rng, ClassWishes& wishes) {
  const std::size_t n = wishes.topology.node_count();
  const NodeId from{rng.below(n)};
  const auto paths = simple_paths(wishes.topology, from, NodeId{(from.index() + 1 + rng.below(n - 1)) % n});
  if (paths.empty()) return;
  controller::Pin pin{.from = from, .to = {}, .cls = {}, .links = paths[rng.below(paths.size())]};
  pin.to = wishes.topology.link(pin.links.back()).to;
  if (rng.below(2) == 0) pin.cls = TrafficClass{rng.below(wishes.class_count)};
  wishes.policies.pins.push_back(pin);
}

}  // namespace

ClassWishes::ClassWishes(std::uint64_t seed, bool with_rules) {
  Rng rng{seed, "class wishes"};
  const std::size_t n = 3 + rng.below(4);
  class_count = 2 + rng.below(2);
  topology = drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(3), .capacity_decades = 1.0});
  policies.classes.clear();
  for (std::size_t c = 0; c < class_count; ++c) {
    controller::ClassPolicy policy{.name = "class", .priority = static_cast<int>(rng.below(3))};
    if (with_rules && rng.below(2) == 0) draw_rules(rng, topology, policy);
    policies.classes.push_back(policy);
  }
  traffic = TrafficMatrix{n, class_count};
  for (std::size_t c = 0; c < class_count; ++c) {
    const TrafficMatrix drawn = drawn_demand(rng, n, 0.5, 6e6);
    for (std::size_t e = 0; e < n * n; ++e) traffic.bps()[c * n * n + e] = drawn.bps()[e];
  }
  if (with_rules && rng.below(2) == 0) draw_pin(rng, *this);
}

std::vector<controller::PriorityLevel> ClassWishes::levels() const {
  return controller::priority_levels(policies, class_count);
}

AllowedPaths allowed_paths(const ClassWishes& wishes, const Demand& demand) {
  for (const controller::Pin& pin : wishes.policies.pins) {
    const bool of_class = !pin.cls || *pin.cls == demand.cls;
    if (pin.from == demand.from && pin.to == demand.to && of_class) return {.paths = {pin.links}, .broken = {}};
  }
  const auto all = simple_paths(wishes.topology, demand.from, demand.to);
  const controller::ClassPolicy& policy = wishes.policies.classes[demand.cls.index()];
  AllowedPaths allowed;
  std::vector<Links> clear;
  for (const Links& path : all) {
    const bool avoided = std::any_of(path.begin(), path.end(), [&](LinkId link) {
      return std::find(policy.avoid.begin(), policy.avoid.end(), link) != policy.avoid.end();
    });
    if (avoided) continue;
    clear.push_back(path);
    if (!policy.latency_max || delay_of(wishes.topology, path) <= *policy.latency_max) allowed.paths.push_back(path);
  }
  if (!allowed.paths.empty() || all.empty()) return allowed;
  using What = controller::BrokenRule::What;
  allowed.broken = clear.empty() ? What::kAvoidedLink : What::kLatency;
  const auto& left = clear.empty() ? all : clear;
  allowed.paths = {*std::min_element(left.begin(), left.end(), [&](const Links& a, const Links& b) {
    return delay_of(wishes.topology, a) < delay_of(wishes.topology, b);
  })};
  return allowed;
}

NamedCommodities commodities_of(const ClassWishes& wishes) {
  NamedCommodities named;
  const auto level_of = controller::level_of_class(wishes.levels(), wishes.class_count);
  const std::size_t n = wishes.topology.node_count();
  for (std::size_t c = 0; c < wishes.class_count; ++c) {
    for (std::size_t pair = 0; pair < n * n; ++pair) {
      const Demand demand{TrafficClass{c}, NodeId{pair / n}, NodeId{pair % n}};
      const double rate = wishes.traffic.at(demand.cls, demand.from, demand.to).bps();
      if (rate <= 0.0) continue;
      auto allowed = allowed_paths(wishes, demand);
      if (allowed.paths.empty()) continue;
      named.demands.push_back(demand);
      named.commodities.push_back({.level = level_of[c], .rate_bps = rate, .paths = std::move(allowed.paths)});
    }
  }
  return named;
}

}  // namespace wan::test
