#include "controller/program/aiwand/automation.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "controller/program/aiwand/explanation.h"

namespace wan::controller {
namespace {

constexpr double kAboutAsGood = 1.05;  // a proposal this near the newest plan still stands
constexpr std::size_t kPlansInMemory = StateStore::kPlansKept;

}  // namespace

Automation::Automation(DaemonState& state, PlanKeeper& keeper, Planning& planning, StateStore& store, NowNs now_ns)
    : state_{state}, keeper_{keeper}, planning_{planning}, store_{store}, now_ns_{std::move(now_ns)} {}

Timestamp Automation::now() const { return Timestamp{std::chrono::seconds{now_ns_() / 1'000'000'000}}; }

void Automation::take(telemetry::MeasuredInterval measured) {
  const std::int64_t began_ns = now_ns_();
  const Timestamp end =
      measured.matrix.measured_at() + std::chrono::duration_cast<std::chrono::seconds>(state_.config.interval);
  state_.metrics.observe_interval(measured);
  note_effect(measured);
  note_interval(std::move(measured));
  const PathPlan before = state_.in_force.plan;
  const Decision decision = planning_.decide(state_.last->measured, std::max(end, now()));
  const Duration took{now_ns_() - began_ns};
  conclude(decision, before);
  state_.metrics.observe_decision(to_string(decision.action), took);
}

std::optional<std::uint64_t> Automation::replan() {
  if (!planning_.ready()) return std::nullopt;
  const PathPlan before = state_.in_force.plan;
  const Decision decision = planning_.replan();
  const std::uint64_t id = conclude(decision, before);
  return decision.proposed ? std::optional{id} : std::nullopt;
}

void Automation::note_interval(telemetry::MeasuredInterval measured) {
  LastInterval last{.measured = std::move(measured)};
  last.total_bps = last.measured.matrix.total().bps();
  for (std::size_t l = 0; l < last.measured.link_rates.size(); ++l) {
    if (!last.measured.link_known[l]) continue;
    const Link& link = state_.topology().links()[l];
    const double utilization = last.measured.link_rates[l] / link.capacity;
    if (utilization > last.max_utilization) {
      last.max_utilization = utilization;
      last.max_utilization_link = link.name;
    }
    if (last.measured.link_drops[l] > 0) {
      state_.alarms.raise(
          {.kind = "link_drops",
           .subject = link.name,
           .text = std::to_string(last.measured.link_drops[l]) + " packets dropped in the last interval"},
          now());
    }
  }
  state_.alarms.clear_older("link_drops", now());
  state_.last = std::move(last);
}

void Automation::note_effect(const telemetry::MeasuredInterval& measured) {
  auto& awaited = state_.ledger.effect_awaited;
  const std::int64_t tolerance = state_.config.interval.count() / 10;  // a plan sent just after the interval began
  if (!awaited || measured.begin_ns + tolerance < awaited->in_force_since_ns) return;
  DecisionRecord* record = state_.ledger.find_decision(awaited->decision);
  awaited.reset();
  if (record == nullptr) return;
  Effect effect{.time = measured.matrix.measured_at(), .max_utilization = 0.0, .max_utilization_link = {}};
  for (std::size_t l = 0; l < measured.link_rates.size(); ++l) {
    const Link& link = state_.topology().links()[l];
    const double utilization = measured.link_known[l] ? measured.link_rates[l] / link.capacity : 0.0;
    if (utilization <= effect.max_utilization) continue;
    effect.max_utilization = utilization;
    effect.max_utilization_link = link.name;
  }
  record->effect = std::move(effect);
  store_.put(*record, std::nullopt);
}

void Automation::note_alarms(const Decision& decision) {
  const Timestamp at = now();
  for (const std::string& text : decision.alarms) {
    if (text.starts_with("overload expected: link ")) {
      const std::string rest = text.substr(24);
      state_.alarms.raise(
          {.kind = "overload_expected", .subject = rest.substr(0, rest.find(' ')), .text = text, .critical = true}, at);
    } else if (text.starts_with("cut off: ")) {
      state_.alarms.raise({.kind = "cut_off", .subject = text.substr(9), .text = text, .critical = true}, at);
    } else {
      state_.alarms.raise(
          {.kind = text.starts_with("input held") ? "input_held" : "input_doubted", .subject = "", .text = text}, at);
    }
  }
  for (const BrokenRule& rule : decision.broken_rules) {
    const Topology& topology = state_.topology();
    const bool latency = rule.what == BrokenRule::What::kLatency;
    state_.alarms.raise({.kind = "policy_not_kept",
                         .subject = topology.node(rule.demand.from).name + " > " + topology.node(rule.demand.to).name,
                         .text = latency ? "no path within the latency bound of its class"
                                         : "no path without the links its class avoids"},
                        at);
  }
  if (decision.lower_bound > 0.0) state_.alarms.clear_older("policy_not_kept", at);
  for (const char* kind : {"overload_expected", "cut_off", "input_held", "input_doubted"})
    state_.alarms.clear_older(kind, at);
  if (const auto& differ = planning_.counters_disagree(); differ && *differ != "no link is counted") {
    state_.alarms.raise(
        {.kind = "counters_disagree", .subject = "", .text = "link counters do not fit the traffic matrix: " + *differ},
        at);
  }
  state_.alarms.clear_older("counters_disagree", at);
}

DecisionRecord Automation::record_of(const Decision& decision) {
  DecisionRecord record;
  record.id = ++state_.ledger.last_decision_id;
  record.time = now();
  record.action = to_string(decision.action);
  record.reason = decision.reason;
  record.forecaster = decision.forecaster;
  record.expected_utilization = decision.expected_utilization;
  record.lower_bound = decision.lower_bound;
  record.p95_utilization = decision.p95_utilization;
  if (state_.last) record.utilization_before = state_.last->max_utilization;
  if (decision.if_kept) record.expected_if_kept = decision.if_kept->mean;
  record.moved_share = decision.moved_share;
  record.alarms = decision.alarms;
  return record;
}

std::uint64_t Automation::conclude(const Decision& decision, const PathPlan& before) {
  DecisionRecord record = record_of(decision);
  if (decision.proposed) {
    record.state = dispose(decision, record);
  } else {
    settle_unmoved(decision);
  }
  const std::uint64_t id = record.id;
  if (decision.proposed) {
    spdlog::info("decision {}: {} ({}): {}", id, record.action, to_string(record.state), record.reason);
  } else {
    spdlog::debug("decision {}: {}: {}", id, record.action, record.reason);
  }
  note_alarms(decision);
  std::optional<std::string> explanation;
  if (planning_.ready()) explanation = explain(state_, planning_.loop(), decision, before).dump();
  keep(std::move(record), std::move(explanation));
  if (state_.ledger.plans.empty() || state_.ledger.plans.back().epoch != state_.in_force.epoch) note_plan_in_force();
  return id;
}

void Automation::settle_unmoved(const Decision& decision) {
  if (decision.action == Action::kKeep) drop_proposal();  // what it was for is over
}

DecisionState Automation::dispose(const Decision& decision, DecisionRecord& record) {
  if (state_.automatic()) {
    if (!keeper_.settled()) {
      record.reason += "; not installed: no node has told yet what it runs";
      return DecisionState::kRefused;
    }
    drop_proposal();
    return install(*decision.proposed, record, decision.expected_utilization, decision.lower_bound)
               ? DecisionState::kInstalled
               : DecisionState::kRefused;
  }
  if (state_.settings.mode == Mode::kObserve) return DecisionState::kObserved;
  if (proposal_still_good(decision)) {
    record.reason += "; decision " + std::to_string(state_.ledger.proposal->decision) + " waits and is about as good";
    return DecisionState::kSuperseded;
  }
  drop_proposal();
  state_.ledger.proposal = Proposal{.decision = record.id,
                                    .plan = *decision.proposed,
                                    .expected_utilization = decision.expected_utilization,
                                    .lower_bound = decision.lower_bound};
  return DecisionState::kProposed;
}

bool Automation::proposal_still_good(const Decision& newest) {
  const auto& proposal = state_.ledger.proposal;
  if (!proposal || !planning_.ready()) return false;
  const ControlLoop& loop = planning_.loop();
  const PlanOutlook now = loop.outlook_of(*newest.proposed);
  const PlanOutlook then = loop.outlook_of(proposal->plan);
  return !better_by(1.0 - 1.0 / kAboutAsGood, now, then) && !relieves(now, then);
}

bool Automation::install(const PathPlan& plan, DecisionRecord& record, double expected, double lower_bound) {
  const std::int64_t at_ns = now_ns_();
  if (auto sent = keeper_.install(plan, at_ns); !sent) {
    record.reason += "; not installed: " + sent.error().message;
    spdlog::error("decision {} is not installed: {}", record.id, sent.error().message);
    return false;
  }
  ++state_.counts.installs;
  record.epoch = state_.in_force.epoch;
  state_.ledger.effect_awaited = Ledger::Awaited{.decision = record.id, .in_force_since_ns = at_ns};
  planning_.plan_changed();
  PlanRecord made{.epoch = state_.in_force.epoch,
                  .time = now(),
                  .digest = state_.in_force.digest,
                  .decision = record.id,
                  .expected_utilization = expected,
                  .lower_bound = lower_bound,
                  .plan = state_.in_force.plan};
  store_.put(made);
  state_.ledger.plans.push_back(std::move(made));
  if (state_.ledger.plans.size() > kPlansInMemory) state_.ledger.plans.pop_front();
  for (const std::string& problem : keeper_.problems()) {
    state_.alarms.raise({.kind = "path_not_programmed", .subject = "", .text = problem}, now());
  }
  state_.alarms.clear_older("path_not_programmed", now());
  return true;
}

void Automation::note_plan_in_force() {
  if (noted_epoch_ == state_.in_force.epoch && noted_digest_ == state_.in_force.digest) return;
  noted_epoch_ = state_.in_force.epoch;
  noted_digest_ = state_.in_force.digest;
  planning_.plan_changed();
  if (state_.in_force.base || state_.ledger.find_plan(state_.in_force.epoch) != nullptr) return;
  PlanRecord found{.epoch = state_.in_force.epoch,
                   .time = now(),
                   .digest = state_.in_force.digest,
                   .decision = {},
                   .expected_utilization = 0.0,
                   .lower_bound = 0.0,
                   .plan = state_.in_force.plan};
  for (const PlanRecord& earlier : state_.ledger.plans) {  // the same plan under its earlier number
    if (earlier.digest != found.digest) continue;
    found.decision = earlier.decision;
    found.expected_utilization = earlier.expected_utilization;
    found.lower_bound = earlier.lower_bound;
  }
  store_.put(found);
  state_.ledger.plans.push_back(std::move(found));
}

void Automation::keep(DecisionRecord record, std::optional<std::string> explanation) {
  store_.put(record, explanation);
  Ledger& ledger = state_.ledger;
  if (explanation) ledger.explanations[record.id] = *std::move(explanation);
  while (ledger.explanations.size() > Ledger::kExplanationsKept) ledger.explanations.erase(ledger.explanations.begin());
  ledger.decisions.push_back(std::move(record));
  if (ledger.decisions.size() > Ledger::kDecisionsKept) ledger.decisions.pop_front();
}

void Automation::change_state(std::uint64_t decision, DecisionState state, std::optional<std::uint64_t> epoch) {
  DecisionRecord* record = state_.ledger.find_decision(decision);
  if (record == nullptr) return;
  record->state = state;
  if (epoch) record->epoch = epoch;
  store_.put(*record, std::nullopt);
}

void Automation::drop_proposal() {
  if (!state_.ledger.proposal) return;
  change_state(state_.ledger.proposal->decision, DecisionState::kSuperseded);
  state_.ledger.proposal.reset();
}

Result<std::uint64_t> Automation::approve(std::uint64_t decision) {
  DecisionRecord* record = state_.ledger.find_decision(decision);
  if (record == nullptr && decision > state_.ledger.last_decision_id) {
    return fail(ErrorCode::kNotFound, "no decision " + std::to_string(decision));
  }
  if (state_.settings.mode == Mode::kObserve) {
    return fail(ErrorCode::kUnsupported, "the mode is observe: nothing is installed");
  }
  if (record == nullptr || !state_.ledger.proposal || state_.ledger.proposal->decision != decision) {
    const std::string now_waits = state_.ledger.proposal
                                      ? "; decision " + std::to_string(state_.ledger.proposal->decision) + " waits now"
                                      : "; nothing waits now";
    return fail(ErrorCode::kStaleInput,
                "decision " + std::to_string(decision) + " is " +
                    std::string{record != nullptr ? to_string(record->state) : std::string_view{"superseded"}} +
                    now_waits);
  }
  if (!keeper_.settled()) return fail(ErrorCode::kUnsupported, "no node has told yet what it runs");
  const Proposal proposal = *std::move(state_.ledger.proposal);
  state_.ledger.proposal.reset();
  const bool done = install(proposal.plan, *record, proposal.expected_utilization, proposal.lower_bound);
  change_state(decision, done ? DecisionState::kApproved : DecisionState::kRefused, record->epoch);
  if (!done) return fail(ErrorCode::kInternal, record->reason);
  spdlog::info("decision {}: approved, epoch {}", decision, state_.in_force.epoch);
  return decision;
}

Result<std::uint64_t> Automation::install_again(const PathPlan& plan, const std::string& reason) {
  if (!keeper_.settled()) return fail(ErrorCode::kUnsupported, "no node has told yet what it runs");
  Decision again;
  again.action = Action::kInstall;
  again.reason = reason;
  again.forecaster = state_.forecaster;
  DecisionRecord record = record_of(again);
  drop_proposal();
  const std::uint64_t id = record.id;
  const bool done = install(plan, record, 0.0, 0.0);
  record.state = done ? DecisionState::kInstalled : DecisionState::kRefused;
  const std::string why = record.reason;
  keep(std::move(record), std::nullopt);
  if (!done) return fail(ErrorCode::kInternal, why);
  spdlog::info("decision {}: {}", id, reason);
  return id;
}

}  // namespace wan::controller
