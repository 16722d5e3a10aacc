#include "controller/program/aiwand/planning.h"

#include <utility>

#include "controller/policy_paths.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kHoldsMax = 2;  // a demand that really grows is acted upon within three intervals

/// The plan without pairs that have no way in this network: they are nobody's to plan.
PathPlan of_connected_pairs(const Topology& topology, const PathPlan& plan) {
  const std::vector<double> hops = hop_costs(topology);
  std::vector<ShortestPathTree> trees;
  for (std::size_t n = 0; n < topology.node_count(); ++n)
    trees.push_back(shortest_path_tree(topology, NodeId{n}, hops));
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (!trees[demand.from.index()].reaches(demand.to)) continue;
    builder.begin_demand(demand);
    for (std::size_t p = 0; p < plan.path_count(d); ++p)
      builder.add_path(plan.path(d, p).fraction, plan.path(d, p).links);
  }
  return std::move(builder).build();
}

}  // namespace

TrafficMatrix with_class_count(const TrafficMatrix& matrix, std::size_t class_count) {
  if (matrix.class_count() == class_count) return matrix;
  TrafficMatrix result{matrix.node_count(), class_count};
  result.set_measured_at(matrix.measured_at());
  const std::size_t entries = matrix.node_count() * matrix.node_count();
  for (std::size_t e = 0; e < matrix.bps().size(); ++e) {
    const std::size_t cls = e / entries < class_count ? e / entries : 0;
    result.bps()[cls * entries + e % entries] += matrix.bps()[e];
  }
  return result;
}

Planning::Planning(DaemonState& state, std::unique_ptr<models::Forecaster> model)
    : state_{state}, model_{std::move(model)} {}

LoopOptions Planning::options() const {
  LoopOptions options;
  options.utilization_target = state_.utilization_target();
  const PolicySet::Guard& guard = state_.policies.guard;
  options.holds_max = guard.holds_max.value_or(kHoldsMax);
  options.guard.level_factor = guard.level_factor.value_or(options.guard.level_factor);
  options.guard.jump_factor = guard.jump_factor.value_or(options.guard.jump_factor);
  options.guard.wild_jump_factor = guard.wild_jump_factor.value_or(options.guard.wild_jump_factor);
  options.worth_installing = kWorthInstalling;
  options.adopts = false;
  options.reacts = true;
  options.max_moved_share = state_.max_moved_share();
  const PolicySet& policies = state_.policies;
  options.paths_max = policies.installed_paths_max();
  options.constraints = constraints_of(policies);
  if (!options.constraints.empty()) {
    options.constrain = [policies](const Topology& topology, const PathPlan& plan) {
      return follow_policies(topology, policies, plan);
    };
  }
  return options;
}

void Planning::start(std::vector<TrafficMatrix> history) {
  for (TrafficMatrix& matrix : history) matrix = with_class_count(matrix, state_.policies.classes.size());
  if (!history.empty()) make(history);
}

void Planning::make(std::span<const TrafficMatrix> training) {
  auto made = ControlLoop::make(state_.links.planning(), model_.get(), training, state_.config.interval, options());
  if (!made) {
    state_.degraded["planning"] = made.error().message;
    return;
  }
  state_.degraded.erase("planning");
  loop_.emplace(*std::move(made));
  state_.outlook = loop_->scenarios();
  plan_changed();
}

Decision Planning::decide(const telemetry::MeasuredInterval& measured, Timestamp now) {
  counters_disagree_ = counters_.disagreement(
      state_.links.physical(), state_.in_force.plan, measured.matrix,
      {.rates = measured.link_rates, .drops = measured.link_drops, .known = measured.link_known});
  Decision decision;
  if (loop_) {
    decision = loop_->step(measured.matrix, now,
                           {.censored = measured.censored, .confirmed = !counters_disagree_.has_value()});
  } else {
    make({&measured.matrix, 1});
    if (loop_) decision = loop_->replan();
  }
  note_outlook(decision);
  return decision;
}

Decision Planning::replan() {
  Decision decision = loop_->replan();
  note_outlook(decision);
  return decision;
}

void Planning::note_outlook(const Decision& decision) {
  if (!loop_) return;
  state_.outlook = loop_->scenarios();
  state_.forecaster = decision.forecaster;
}

void Planning::topology_changed() {
  if (!loop_) return;
  loop_->set_topology(state_.links.planning());
  plan_changed();
}

void Planning::policies_changed() {
  if (!loop_) return;
  std::vector<TrafficMatrix> history{loop_->history().begin(), loop_->history().end()};
  start(std::move(history));
}

void Planning::plan_changed() {
  if (!loop_) return;
  const PathPlan shaped = with_class_count(state_.in_force.plan, state_.policies.classes.size());
  loop_->adopt(of_connected_pairs(state_.links.planning(), shaped));
}

}  // namespace wan::controller
