#include "controller/program/aiwand/record_json.h"

#include <array>
#include <utility>
#include <vector>

namespace wan::controller {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<DecisionState, std::string_view>, 7> kStates{{
    {DecisionState::kInstalled, "installed"},
    {DecisionState::kProposed, "proposed"},
    {DecisionState::kApproved, "approved"},
    {DecisionState::kSuperseded, "superseded"},
    {DecisionState::kObserved, "observed"},
    {DecisionState::kKept, "kept"},
    {DecisionState::kRefused, "refused"},
}};

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename T>
std::optional<T> optional_of(const json& at) {
  return at.is_null() ? std::nullopt : std::optional<T>{at.get<T>()};
}

Timestamp time_of(const json& at) { return parse_timestamp(at.get<std::string>()).value_or(Timestamp{}); }

DecisionRecord read_decision(const json& at) {
  DecisionRecord decision;
  decision.id = at.at("id");
  decision.time = time_of(at.at("time"));
  decision.action = at.at("action");
  for (const auto& [state, name] : kStates) {
    if (at.at("state") == name) decision.state = state;
  }
  decision.reason = at.at("reason");
  decision.forecaster = at.at("forecaster");
  decision.expected_utilization = at.at("expected_utilization");
  decision.lower_bound = at.at("lower_bound");
  decision.p95_utilization = at.at("p95_utilization");
  decision.utilization_before = optional_of<double>(at.at("utilization_before"));
  decision.expected_if_kept = optional_of<double>(at.at("utilization_expected_if_kept"));
  decision.moved_share = at.at("moved_share");
  decision.epoch = optional_of<std::uint64_t>(at.at("epoch"));
  decision.alarms = at.at("alarms").get<std::vector<std::string>>();
  if (const json& effect = at.at("effect"); !effect.is_null()) {
    decision.effect = Effect{.time = time_of(effect.at("time")),
                             .max_utilization = effect.at("max_utilization"),
                             .max_utilization_link = effect.at("max_utilization_link")};
  }
  return decision;
}

/// One demand's entry; throws what nlohmann throws, or names what this network lacks.
Result<void> read_demand(const Topology& topology, const json& at, PathPlanBuilder& builder) {
  const auto from = topology.find_node(at.at(1).get_ref<const std::string&>());
  const auto to = topology.find_node(at.at(2).get_ref<const std::string&>());
  if (!from || !to) return fail(ErrorCode::kBadInput, "a plan of another network: an unknown node");
  builder.begin_demand({.cls = TrafficClass{at.at(0).get<std::size_t>()}, .from = *from, .to = *to});
  for (const json& path : at.at(3)) {
    std::vector<LinkId> links;
    for (const json& name : path.at(1)) {
      const auto link = topology.find_link(name.get_ref<const std::string&>());
      if (!link) return fail(ErrorCode::kBadInput, "a plan of another network: an unknown link");
      links.push_back(*link);
    }
    builder.add_path(path.at(0).get<double>(), links);
  }
  return {};
}

}  // namespace

std::string_view to_string(DecisionState state) {
  for (const auto& [which, name] : kStates) {
    if (which == state) return name;
  }
  return "unknown";
}

json to_json(const DecisionRecord& decision) {
  json effect = nullptr;
  if (decision.effect) {
    effect = {{"time", format_timestamp(decision.effect->time)},
              {"max_utilization", decision.effect->max_utilization},
              {"max_utilization_link", decision.effect->max_utilization_link}};
  }
  const double gap = decision.lower_bound > 0.0 ? decision.expected_utilization / decision.lower_bound - 1.0 : 0.0;
  return {{"id", decision.id},
          {"time", format_timestamp(decision.time)},
          {"action", decision.action},
          {"state", to_string(decision.state)},
          {"reason", decision.reason},
          {"forecaster", decision.forecaster},
          {"expected_utilization", decision.expected_utilization},
          {"lower_bound", decision.lower_bound},
          {"gap", decision.lower_bound > 0.0 ? json(gap) : json(nullptr)},
          {"p95_utilization", decision.p95_utilization},
          {"utilization_before", or_null(decision.utilization_before)},
          {"utilization_expected_if_kept", or_null(decision.expected_if_kept)},
          {"moved_share", decision.moved_share},
          {"epoch", or_null(decision.epoch)},
          {"alarms", decision.alarms},
          {"effect", std::move(effect)}};
}

Result<DecisionRecord> decision_from_json(const json& at) {
  try {
    return read_decision(at);
  } catch (const json::exception& error) {
    return fail(ErrorCode::kBadInput, error.what());
  }
}

json paths_to_json(const Topology& topology, const PathPlan& plan) {
  json demands = json::array();
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    json paths = json::array();
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const WeightedPath path = plan.path(d, p);
      json links = json::array();
      for (const LinkId link : path.links) links.push_back(topology.link(link).name);
      paths.push_back(json::array({path.fraction, std::move(links)}));
    }
    demands.push_back(json::array(
        {demand.cls.index(), topology.node(demand.from).name, topology.node(demand.to).name, std::move(paths)}));
  }
  return demands;
}

Result<PathPlan> paths_from_json(const Topology& topology, const json& at) {
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  try {
    for (const json& demand : at) {
      if (auto read = read_demand(topology, demand, builder); !read) return tl::unexpected<Error>{read.error()};
    }
  } catch (const json::exception& error) {
    return fail(ErrorCode::kBadInput, error.what());
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
