#include "controller/program/aiwand/api_views.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "controller/node_programs.h"
#include "controller/program/aiwand/record_json.h"
#include "controller/program/aiwand/version.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

using nlohmann::json;

json time_of_ns(std::int64_t ns) { return format_timestamp(Timestamp{std::chrono::seconds{ns / 1'000'000'000}}); }

std::string class_name(const DaemonState& state, TrafficClass cls) {
  return cls.index() < state.policies.classes.size() ? state.policies.classes[cls.index()].name
                                                     : std::to_string(cls.index());
}

double entry_of(const TrafficMatrix& matrix, const Demand& demand) {
  return demand.cls.index() < matrix.class_count() && matrix.node_count() > 0
             ? matrix.at(demand.cls, demand.from, demand.to).bps()
             : 0.0;
}

/// By link: the p95 utilisation over the scenarios on the plan in force; empty before the first decision.
std::vector<double> forecast_utilization(const DaemonState& state) {
  const auto& scenarios = state.outlook.scenarios;
  if (scenarios.empty()) return {};
  std::vector<std::vector<double>> by_link(state.topology().link_count());
  for (const TrafficMatrix& scenario : scenarios) {
    const std::vector<double> loads = link_loads_bps(state.links.physical(), state.in_force.plan, scenario);
    for (std::size_t l = 0; l < loads.size(); ++l) {
      by_link[l].push_back(loads[l] / state.topology().links()[l].capacity.bps());
    }
  }
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(scenarios.size()))) - 1;
  std::vector<double> p95;
  for (auto& values : by_link) {
    std::sort(values.begin(), values.end());
    p95.push_back(values[rank]);
  }
  return p95;
}

json link_with(const DaemonState& state, LinkId id, const std::vector<double>& p95) {
  const Link& link = state.links.physical().link(id);
  json rate = nullptr, utilization = nullptr, drops = nullptr, srlgs = json::array();
  if (state.last && state.last->measured.link_known[id.index()]) {
    rate = state.last->measured.link_rates[id.index()].bps();
    utilization = state.last->measured.link_rates[id.index()] / link.capacity;
    drops = state.last->measured.link_drops[id.index()];
  }
  for (const SrlgId srlg : link.srlgs) {
    if (srlg.index() < state.network.srlg_names.size()) srlgs.push_back(state.network.srlg_names[srlg.index()]);
  }
  return {{"name", link.name},
          {"from", state.topology().node(link.from).name},
          {"to", state.topology().node(link.to).name},
          {"state", link.up ? "up" : "down"},
          {"drained", state.links.is_kept_empty(id)},
          {"capacity_bps", link.capacity.bps()},
          {"rate_bps", std::move(rate)},
          {"utilization", std::move(utilization)},
          {"forecast_utilization", p95.empty() ? json(nullptr) : json(p95[id.index()])},
          {"drops", std::move(drops)},
          {"delay_ms", to_milliseconds(link.delay)},
          {"metric", link.weight},
          {"srlgs", std::move(srlgs)},
          {"port", state.network.ports[id.index()]}};
}

json paths_with_segments(const DaemonState& state, const PathPlan& plan, std::size_t demand) {
  json paths = json::array();
  for (std::size_t p = 0; p < plan.path_count(demand); ++p) {
    const WeightedPath path = plan.path(demand, p);
    json links = json::array(), segments = json::array();
    for (const LinkId link : path.links) links.push_back(state.topology().link(link).name);
    if (const auto list = segment_list(state.links.physical(), state.plane, path.links)) {
      for (const IpAddress& segment : *list) segments.push_back(segment.to_string());
    }
    paths.push_back({{"links", std::move(links)}, {"fraction", path.fraction}, {"segments", std::move(segments)}});
  }
  return paths;
}

json route_json(const DaemonState& state, const PathPlan& plan, std::size_t demand) {
  const Demand& of = plan.demands()[demand];
  return {{"class", class_name(state, of.cls)},
          {"from", state.topology().node(of.from).name},
          {"to", state.topology().node(of.to).name},
          {"paths", paths_with_segments(state, plan, demand)}};
}

bool both_managed(const DaemonState& state, const Demand& demand) {
  return state.managed[demand.from.index()] && state.managed[demand.to.index()];
}

json names_of(const DaemonState& state, const std::vector<LinkId>& links) {
  json names = json::array();
  for (const LinkId link : links) names.push_back(state.topology().link(link).name);
  return names;
}

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

}  // namespace

json status_json(const DaemonState& state, Timestamp now) {
  json degraded = json::array();
  for (const auto& [about, why] : state.degraded) degraded.push_back(why);
  json measured = nullptr;
  if (state.last) {
    measured = {{"time", format_timestamp(state.last->measured.matrix.measured_at())},
                {"total_bps", state.last->total_bps},
                {"max_utilization", state.last->max_utilization},
                {"max_utilization_link", state.last->max_utilization_link},
                {"censored", state.last->measured.censored.size()}};
  }
  return {{"version", kDaemonVersion},
          {"mode", to_string(state.settings.mode)},
          {"paused", state.settings.paused},
          {"paused_until", time_json(state.settings.paused_until)},
          {"state", state.state_digest()},
          {"network", state.topology().digest()},
          {"uptime_s", (now - state.started).count()},
          {"interval_s", to_seconds(state.config.interval)},
          {"epoch", state.in_force.epoch},
          {"plan_digest", state.in_force.digest},
          {"nodes", {{"managed", state.nodes.managed()}, {"reporting", state.nodes.reporting()}}},
          {"links", {{"all", state.topology().link_count()}, {"up", state.links.links_up()}}},
          {"measured", std::move(measured)},
          {"forecaster", state.forecaster},
          {"degraded", std::move(degraded)},
          {"alarms", state.alarms.size()},
          {"policy_version", state.settings.policy_version},
          {"pending_decision", state.ledger.proposal ? json(state.ledger.proposal->decision) : json(nullptr)}};
}

json node_json(const DaemonState& state, NodeId id) {
  const NodeEntry& node = state.nodes.at(id);
  const io::NodeSettings& settings = state.network.nodes[id.index()];
  json prefixes = json::array(), ports = json::array(), drops = json::object();
  for (const IpPrefix& prefix : settings.prefixes) prefixes.push_back(prefix.to_string());
  bool any_link = false, all_drained = true;
  for (std::size_t l = 0; l < state.topology().link_count(); ++l) {
    const Link& link = state.topology().links()[l];
    if (link.from != id && link.to != id) continue;
    any_link = true;
    all_drained = all_drained && state.links.is_kept_empty(LinkId{l});
  }
  for (const PortState& port : node.ports) {
    json link = nullptr;
    for (std::size_t l = 0; l < state.topology().link_count(); ++l) {
      if (state.topology().links()[l].from == id && state.network.ports[l] == port.name)
        link = state.topology().links()[l].name;
    }
    ports.push_back({{"name", port.name}, {"up", port.up}, {"link", std::move(link)}});
  }
  for (const DropCount& drop : node.drops) drops[drop.reason] = drop.packets;
  return {{"name", state.topology().node(id).name},
          {"managed", node.managed},
          {"state", !node.managed               ? "unmanaged"
                    : node.seen && !node.silent ? "reporting"
                                                : "silent"},
          {"locator", settings.locator.to_string()},
          {"prefixes", std::move(prefixes)},
          {"last_seen", node.seen ? time_of_ns(node.last_seen_ns) : json(nullptr)},
          {"boots", node.boots},
          {"epoch", node.epoch},
          {"installs", node.installs},
          {"drained", any_link && all_drained},
          {"ports", std::move(ports)},
          {"drops", std::move(drops)},
          {"version", node.version}};
}

json link_json(const DaemonState& state, LinkId link) { return link_with(state, link, forecast_utilization(state)); }

json nodes_json(const DaemonState& state) {
  json items = json::array();
  for (std::size_t n = 0; n < state.topology().node_count(); ++n) items.push_back(node_json(state, NodeId{n}));
  return {{"items", std::move(items)}};
}

json links_json(const DaemonState& state) {
  const std::vector<double> p95 = forecast_utilization(state);
  json items = json::array();
  for (std::size_t l = 0; l < state.topology().link_count(); ++l) items.push_back(link_with(state, LinkId{l}, p95));
  return {{"items", std::move(items)}};
}

json demands_json(const DaemonState& state) {
  json items = json::array();
  const PathPlan& plan = state.in_force.plan;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (!both_managed(state, demand)) continue;
    json item = route_json(state, plan, d);
    bool censored = false;
    if (state.last) {
      const auto& list = state.last->measured.censored;
      censored = std::find(list.begin(), list.end(), demand) != list.end();
    }
    item["rate_bps"] = state.last ? json(entry_of(state.last->measured.matrix, demand)) : json(nullptr);
    item["forecast_bps"] =
        state.outlook.scenarios.empty() ? json(nullptr) : json(entry_of(state.outlook.forecast, demand));
    item["censored"] = censored;
    items.push_back(std::move(item));
  }
  return {{"items", std::move(items)}};
}

json plan_json(const DaemonState& state, const PlanKeeper& keeper, const PlanRecord& plan, bool with_routes) {
  const bool in_force = plan.epoch == state.in_force.epoch && !state.in_force.base;
  json result{{"epoch", plan.epoch},
              {"time", format_timestamp(plan.time)},
              {"digest", plan.digest},
              {"decision", or_null(plan.decision)},
              {"in_force", in_force},
              {"acknowledged", in_force ? json(keeper.southbound().acknowledged()) : json::array()},
              {"waiting", in_force ? json(keeper.southbound().waiting()) : json::array()},
              {"expected_utilization", plan.expected_utilization},
              {"lower_bound", plan.lower_bound},
              {"demands", plan.plan.demand_count()},
              {"paths", plan.plan.path_count()}};
  const auto round = keeper.southbound().round_time();
  result["acknowledged_in_ms"] = in_force && round ? json(to_milliseconds(*round)) : json(nullptr);
  if (with_routes) {
    json routes = json::array();
    for (std::size_t d = 0; d < plan.plan.demand_count(); ++d) {
      if (both_managed(state, plan.plan.demands()[d])) routes.push_back(route_json(state, plan.plan, d));
    }
    result["routes"] = std::move(routes);
  }
  return result;
}

json alarms_json(const DaemonState& state) {
  json items = json::array();
  for (const Alarm& alarm : state.alarms.all()) {
    items.push_back({{"id", alarm.id},
                     {"since", format_timestamp(alarm.since)},
                     {"last", format_timestamp(alarm.last)},
                     {"severity", alarm.critical ? "critical" : "warning"},
                     {"kind", alarm.kind},
                     {"subject", alarm.subject},
                     {"text", alarm.text},
                     {"count", alarm.count}});
  }
  return {{"items", std::move(items)}};
}

json policies_json(const DaemonState& state) {
  const PolicyVersion* version = state.policies_in_force();
  json until = nullptr;
  if (state.settings.unconfirmed) until = format_timestamp(state.settings.unconfirmed->deadline);
  return {{"text", version != nullptr ? version->text : std::string{}},
          {"name", version != nullptr ? version->name : std::string{}},
          {"version", state.settings.policy_version},
          {"pending_confirm_until", std::move(until)},
          {"drains", state.settings.drains},
          {"policies", policy_set_json(state, state.policies)}};
}

json policy_set_json(const DaemonState& state, const PolicySet& policies) {
  json classes = json::array(), pins = json::array(), windows = json::array();
  for (const ClassPolicy& cls : policies.classes) {
    classes.push_back({{"name", cls.name},
                       {"dscp", cls.dscps},
                       {"priority", cls.priority},
                       {"latency_max_ms", cls.latency_max ? json(to_milliseconds(*cls.latency_max)) : json(nullptr)},
                       {"utilization_target", or_null(cls.utilization_target)},
                       {"avoid", names_of(state, cls.avoid)}});
  }
  for (const Pin& pin : policies.pins) {
    pins.push_back({{"from", state.topology().node(pin.from).name},
                    {"to", state.topology().node(pin.to).name},
                    {"class", pin.cls ? json(policies.classes[pin.cls->index()].name) : json(nullptr)},
                    {"links", names_of(state, pin.links)}});
  }
  for (const MaintenanceWindow& window : policies.maintenance) {
    windows.push_back(
        {{"target", window.target}, {"from", format_timestamp(window.from)}, {"to", format_timestamp(window.to)}});
  }
  return {{"classes", std::move(classes)},
          {"utilization_target", or_null(policies.utilization_target)},
          {"max_moved_share", or_null(policies.max_moved_share)},
          {"paths_max", policies.installed_paths_max()},
          {"pins", std::move(pins)},
          {"drain", policies.drain},
          {"maintenance", std::move(windows)},
          {"guard",
           {{"level_factor", or_null(policies.guard.level_factor)},
            {"jump_factor", or_null(policies.guard.jump_factor)},
            {"wild_jump_factor", or_null(policies.guard.wild_jump_factor)},
            {"holds_max", or_null(policies.guard.holds_max)}}}};
}

}  // namespace wan::controller
