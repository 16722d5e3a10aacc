#include "controller/program/aiwand/plan_keeper.h"

#include <algorithm>
#include <utility>

#include "controller/igp_table.h"
#include "controller/policy_paths.h"

namespace wan::controller {

PathPlan base_plan(const Topology& topology, std::size_t class_count) {
  PathPlanBuilder builder;
  IgpTable igp{topology};
  std::vector<LinkId> links;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t s = 0; s < topology.node_count(); ++s) {
      for (std::size_t t = 0; t < topology.node_count(); ++t) {
        if (s == t || !igp.reaches(NodeId{s}, NodeId{t})) continue;
        links.clear();
        for (auto next = igp.next(NodeId{s}, NodeId{t}); next; next = igp.next(topology.link(*next).to, NodeId{t})) {
          links.push_back(*next);
        }
        builder.begin_demand({.cls = TrafficClass{cls}, .from = NodeId{s}, .to = NodeId{t}});
        builder.add_path(1.0, links);
      }
    }
  }
  return std::move(builder).build();
}

namespace {

/// The plan without paths over links that are down, and without demands that only have such.
PathPlan over_links_up(const Topology& topology, const PathPlan& plan) {
  if (plan.check(topology)) return plan;
  PathPlanBuilder builder;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    builder.begin_demand(plan.demands()[d]);
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const WeightedPath path = plan.path(d, p);
      const bool up = std::all_of(path.links.begin(), path.links.end(), [&](LinkId l) { return topology.link(l).up; });
      if (up) builder.add_path(path.fraction, path.links);
    }
  }
  return std::move(builder).build();
}

}  // namespace

PlanKeeper::PlanKeeper(DaemonState& state, telemetry::DaemonBus& bus)
    : state_{state},
      bus_{bus},
      southbound_{state.topology(), state.managed},
      found_(state.nodes.size()),
      has_spoken_(state.nodes.size(), false),
      base_digest_{plan_digest(state.topology(), PathPlan{})} {
  state_.in_force = {.plan = base_plan(state.topology(), state.policies.classes.size()),
                     .epoch = 0,
                     .digest = base_digest_,
                     .base = true};
}

const PlanRecord* PlanKeeper::stored() const {
  return state_.ledger.plans.empty() ? nullptr : &state_.ledger.plans.back();
}

bool PlanKeeper::hello(NodeId node, const NodeHello& hello, std::int64_t now_ns) {
  if (!first_word_ns_) first_word_ns_ = now_ns;
  has_spoken_[node.index()] = true;
  if (settled_) {
    southbound_.meet(bus_, node, state_.nodes.at(node), now_ns);
    if (!southbound_.must_renumber()) return false;
    const PathPlan demands = state_.in_force.base ? PathPlan{} : state_.in_force.plan;
    static_cast<void>(send_plan(state_.in_force.plan, demands, state_.in_force.digest, now_ns));
    return false;
  }
  const PlanRecord* plan = stored();
  const bool known = hello.program_epoch == 0 || hello.program_digest == base_digest_ ||
                     (plan != nullptr && hello.program_digest == plan->digest);
  Found& found = found_[node.index()];
  if (!known && !found.asked) {
    found.asked = true;
    bus_.send(state_.topology().node(node).name, telemetry::ProgramRequest{});
  }
  return tick(now_ns);
}

bool PlanKeeper::report(NodeId node, const telemetry::ProgramReport& report, std::int64_t now_ns) {
  if (settled_) return false;
  found_[node.index()].program = report.program;
  return tick(now_ns);
}

bool PlanKeeper::tick(std::int64_t now_ns) {
  if (settled_ || !first_word_ns_) return false;
  bool all_told = true;
  for (std::size_t n = 0; n < found_.size(); ++n) {
    if (!state_.managed[n]) continue;
    all_told = all_told && has_spoken_[n] && (!found_[n].asked || found_[n].program);
  }
  if (!all_told && now_ns - *first_word_ns_ < kAdoptWithin_ns) return false;
  return settle(now_ns);
}

bool PlanKeeper::settle(std::int64_t now_ns) {
  settled_ = true;
  const std::string before = state_.in_force.digest;
  const PlanRecord* plan = stored();
  const bool usable = plan != nullptr && plan->plan.check(state_.topology());
  std::uint64_t stored_runs_at = 0, base_runs_at = 0;
  for (std::size_t n = 0; n < state_.nodes.size(); ++n) {
    const NodeEntry& entry = state_.nodes.at(NodeId{n});
    if (entry.epoch == 0) continue;
    if (usable && entry.digest == plan->digest) stored_runs_at = std::max(stored_runs_at, entry.epoch);
    if (entry.digest == base_digest_) base_runs_at = std::max(base_runs_at, entry.epoch);
  }
  if (stored_runs_at > 0) {
    adopt_stored(*plan, stored_runs_at);
  } else if (adopt_found(now_ns)) {
    // done
  } else if (usable) {
    static_cast<void>(send_plan(completed(plan->plan), plan->plan, plan->digest, now_ns));
  } else if (base_runs_at > 0) {
    state_.in_force.epoch = base_runs_at;
    if (auto made = programs({}, base_runs_at, base_digest_)) {
      southbound_.adopt(std::move(made->by_node), base_runs_at, base_digest_);
    }
  } else {
    install_base(now_ns);
  }
  for (std::size_t n = 0; n < state_.nodes.size(); ++n) {
    if (has_spoken_[n]) southbound_.meet(bus_, NodeId{n}, state_.nodes.at(NodeId{n}), now_ns);
  }
  if (southbound_.must_renumber()) {
    const PathPlan demands = state_.in_force.base ? PathPlan{} : state_.in_force.plan;
    static_cast<void>(send_plan(state_.in_force.plan, demands, state_.in_force.digest, now_ns));
  }
  return state_.in_force.digest != before;
}

void PlanKeeper::adopt_stored(const PlanRecord& plan, std::uint64_t epoch) {
  state_.in_force = {.plan = completed(plan.plan), .epoch = epoch, .digest = plan.digest, .base = false};
  if (auto made = programs(state_.in_force.plan, epoch, plan.digest)) {
    southbound_.adopt(std::move(made->by_node), epoch, plan.digest);
  }
}

/// The newest plan that nodes have told; its programs, node by node, are kept as they are.
bool PlanKeeper::adopt_found(std::int64_t now_ns) {
  const NodeProgram* newest = nullptr;
  for (const Found& found : found_) {
    if (found.program && found.program->epoch > 0 && (newest == nullptr || found.program->epoch > newest->epoch)) {
      newest = &*found.program;
    }
  }
  if (newest == nullptr) return false;
  std::vector<NodeProgram> by_node(found_.size());
  for (std::size_t n = 0; n < found_.size(); ++n) {
    if (found_[n].program && found_[n].program->digest == newest->digest) by_node[n] = *found_[n].program;
  }
  auto plan = adopted_plan(state_.topology(), by_node);
  if (!plan) {
    state_.alarms.raise({.kind = "plan_not_adopted", .subject = "", .text = plan.error().message, .critical = true},
                        Timestamp{std::chrono::seconds{now_ns / 1'000'000'000}});
    return false;
  }
  state_.in_force = {.plan = completed(*plan), .epoch = newest->epoch, .digest = newest->digest, .base = false};
  auto made = programs(state_.in_force.plan, newest->epoch, newest->digest);
  if (made) southbound_.adopt(std::move(made->by_node), newest->epoch, newest->digest);
  return true;
}

void PlanKeeper::install_base(std::int64_t now_ns) {
  ++state_.counts.base_installs;
  static_cast<void>(send_plan(state_.in_force.plan, {}, base_digest_, now_ns));
}

Result<void> PlanKeeper::install(const PathPlan& plan, std::int64_t now_ns) {
  PathPlan whole = completed(plan);
  const std::string digest = plan_digest(state_.topology(), whole);
  auto sent = send_plan(whole, whole, digest, now_ns);
  if (!sent) return sent;
  state_.in_force.base = false;
  return {};
}

Result<void> PlanKeeper::send_plan(const PathPlan& plan, const PathPlan& demands, const std::string& digest,
                                   std::int64_t now_ns) {
  const std::uint64_t epoch = std::max({southbound_.epoch(), state_.nodes.epoch_max(), state_.in_force.epoch,
                                        stored() != nullptr ? stored()->epoch : 0}) +
                              1;
  auto made = programs(demands, epoch, digest);
  if (!made) return tl::unexpected<Error>{made.error()};
  problems_ = std::move(made->problems);
  southbound_.install(bus_, std::move(made->by_node), now_ns);
  state_.in_force.plan = plan;
  state_.in_force.epoch = epoch;
  state_.in_force.digest = digest;
  state_.in_force.base = demands.demand_count() == 0;
  return {};
}

Result<NodePrograms> PlanKeeper::programs(const PathPlan& demands, std::uint64_t epoch, const std::string& digest) {
  return node_programs(state_.links.configured(), state_.plane, over_links_up(state_.links.physical(), demands),
                       state_.policies.classes, epoch, digest);
}

PathPlan PlanKeeper::completed(const PathPlan& plan) const {
  const std::size_t classes = state_.policies.classes.size();
  const PathPlan shaped = with_class_count(plan, classes);
  const PathPlan base = base_plan(state_.links.physical(), classes);
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  for (std::size_t d = 0; d < base.demand_count(); ++d) {
    const auto own = shaped.find(base.demands()[d]);
    const PathPlan& source = own ? shaped : base;
    const std::size_t at = own.value_or(d);
    builder.begin_demand(base.demands()[d]);
    for (std::size_t p = 0; p < source.path_count(at); ++p) {
      const WeightedPath path = source.path(at, p);
      builder.add_path(path.fraction, path.links);
    }
  }
  return std::move(builder).build();
}

Southbound::Answer PlanKeeper::ack(NodeId node, const ProgramAck& ack, std::int64_t now_ns) {
  return southbound_.take(node, ack, now_ns);
}

}  // namespace wan::controller
