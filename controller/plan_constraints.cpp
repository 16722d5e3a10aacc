#include "controller/plan_constraints.h"

#include <algorithm>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kHop = 1e-9;  // seconds: among equal delays, fewer hops

/// Least-delay trees of one rule, each made when first asked for.
class LeastDelay {
 public:
  LeastDelay(const Topology& topology, std::span<const LinkId> avoid)
      : topology_{topology}, cost_{delay_costs(topology)}, trees_(topology.node_count()) {
    for (double& entry : cost_) entry += kHop;
    if (avoid.empty()) return;
    std::vector<LinkId> down{avoid.begin(), avoid.end()};
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (!topology.links()[l].up) down.emplace_back(l);
    }
    topology_ = topology.with_links_down(down);
  }

  [[nodiscard]] bool reaches(NodeId from, NodeId to) { return tree(from).reaches(to); }
  /// Empty: none.
  std::vector<LinkId> path(NodeId from, NodeId to) {
    return reaches(from, to) ? tree(from).path_to(topology_, to) : std::vector<LinkId>{};
  }

 private:
  const ShortestPathTree& tree(NodeId from) {
    auto& found = trees_[from.index()];
    if (!found) found = shortest_path_tree(topology_, from, cost_);
    return *found;
  }

  Topology topology_;
  std::vector<double> cost_;
  std::vector<std::optional<ShortestPathTree>> trees_;  // by source
};

/// A rule and a level with the rows that they hold for.
struct RuleGroup {
  PathRule rule;
  std::size_t level;
  std::vector<std::size_t> rows;
  LeastDelay least_delay;
};

bool is_up(const Topology& topology, const Pin& pin) {
  return std::all_of(pin.links.begin(), pin.links.end(), [&](LinkId link) { return topology.link(link).up; });
}

/// The path that a group's demands may take at least; what of the rule must be given up for it.
void settle(const Topology& topology, RuleGroup& group, LeastDelay& free, RuledDemand& demand) {
  demand.path = group.least_delay.path(demand.from, demand.to);
  if (demand.path.empty()) {
    demand.path = free.path(demand.from, demand.to);
    demand.broken = BrokenRule::What::kAvoidedLink;
  } else if (!demand.rule.allows(topology, demand.path)) {
    demand.broken = BrokenRule::What::kLatency;
  }
  demand.fixed = demand.broken.has_value();
}

std::size_t level_of_row(const PlanConstraints& constraints, std::size_t row) {
  const auto& levels = constraints.levels;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const auto& classes = levels[level].classes;
    if (std::find(classes.begin(), classes.end(), TrafficClass{row}) != classes.end()) return level;
  }
  return levels.empty() ? 0 : levels.size() - 1;
}

/// Puts one pair's demands together.
class PairWriter {
 public:
  PairWriter(const Topology& topology, const PlanConstraints& constraints, std::vector<RuleGroup>& groups,
             LeastDelay& free, RuledDemands& out)
      : topology_{topology}, constraints_{constraints}, groups_{groups}, free_{free}, out_{out} {}

  void write(NodeId from, NodeId to) {
    const std::size_t first = out_.demands.size();
    std::vector<bool> pinned(out_.row_count, false);
    for (const Pin& pin : constraints_.pins) {
      if (pin.from != from || pin.to != to || !is_up(topology_, pin)) continue;
      for (std::size_t level = 0; level < std::max<std::size_t>(1, constraints_.levels.size()); ++level) {
        RuledDemand demand{.from = from, .to = to, .rows = {}, .level = level, .fixed = true, .path = pin.links};
        for (std::size_t row = 0; row < out_.row_count; ++row) {
          if (pinned[row] || (pin.cls && pin.cls->index() != row) || level_of_row(constraints_, row) != level) continue;
          pinned[row] = true;
          demand.rows.push_back(row);
        }
        if (!demand.rows.empty()) out_.demands.push_back(std::move(demand));
      }
    }
    for (RuleGroup& group : groups_) {
      RuledDemand demand{.from = from, .to = to, .rows = {}, .level = group.level, .rule = group.rule};
      for (const std::size_t row : group.rows) {
        if (!pinned[row]) demand.rows.push_back(row);
      }
      if (demand.rows.empty()) continue;
      if (!demand.rule.empty()) settle(topology_, group, free_, demand);
      out_.demands.push_back(std::move(demand));
    }
    std::sort(out_.demands.begin() + static_cast<std::ptrdiff_t>(first), out_.demands.end(),
              [](const RuledDemand& a, const RuledDemand& b) { return a.rows[0] < b.rows[0]; });
    ++out_.pair_count;
  }

 private:
  const Topology& topology_;
  const PlanConstraints& constraints_;
  std::vector<RuleGroup>& groups_;
  LeastDelay& free_;
  RuledDemands& out_;
};

std::vector<RuleGroup> grouped(const Topology& topology, const PlanConstraints& constraints, std::size_t row_count) {
  std::vector<RuleGroup> groups;
  for (std::size_t row = 0; row < row_count; ++row) {
    const PathRule rule = row < constraints.classes.size() ? constraints.classes[row] : PathRule{};
    const std::size_t level = level_of_row(constraints, row);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const RuleGroup& g) { return g.rule == rule && g.level == level; });
    if (same != groups.end()) {
      same->rows.push_back(row);
    } else {
      groups.push_back({.rule = rule, .level = level, .rows = {row}, .least_delay = LeastDelay{topology, rule.avoid}});
    }
  }
  return groups;
}

}  // namespace

bool PathRule::allows(const Topology& topology, std::span<const LinkId> links) const {
  Duration delay{0};
  for (const LinkId link : links) {
    if (std::binary_search(avoid.begin(), avoid.end(), link)) return false;
    delay += topology.link(link).delay;
  }
  return !latency_max || delay <= *latency_max;
}

bool PlanConstraints::empty() const {
  return pins.empty() && levels.size() < 2 &&
         std::all_of(classes.begin(), classes.end(), [](const PathRule& rule) { return rule.empty(); });
}

PlanConstraints constraints_of(const PolicySet& policies) {
  PlanConstraints constraints{
      .classes = {}, .pins = policies.pins, .levels = priority_levels(policies, policies.classes.size())};
  for (const ClassPolicy& policy : policies.classes) {
    constraints.classes.push_back({.avoid = policy.avoid, .latency_max = policy.latency_max});
  }
  return constraints;
}

RuledDemands ruled_demands(const Topology& topology, const PlanConstraints& constraints) {
  RuledDemands out;
  if (!constraints.empty()) {
    std::size_t known = constraints.classes.size();
    for (const Pin& pin : constraints.pins) known = std::max(known, pin.cls ? pin.cls->index() + 1 : 0);
    out.row_count = known + 1;
  }
  std::vector<RuleGroup> groups = grouped(topology, constraints, out.row_count);
  LeastDelay free{topology, {}};
  PairWriter writer{topology, constraints, groups, free, out};
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      if (s != t && free.reaches(NodeId{s}, NodeId{t})) writer.write(NodeId{s}, NodeId{t});
    }
  }
  out.demand_of.assign(out.row_count * out.pair_count, 0);
  std::size_t pair = 0;
  for (std::size_t d = 0; d < out.demands.size(); ++d) {
    const RuledDemand& demand = out.demands[d];
    const bool same_pair = d == 0 || (out.demands[d - 1].from == demand.from && out.demands[d - 1].to == demand.to);
    if (!same_pair) ++pair;
    for (const std::size_t row : demand.rows) out.demand_of[row * out.pair_count + pair] = d;
  }
  return out;
}

}  // namespace wan::controller
