#include "controller/program/aiwand/api_handler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/program/aiwand/api_views.h"
#include "controller/program/aiwand/openapi_text.h"
#include "controller/program/aiwand/record_json.h"
#include "controller/program/aiwand/what_if.h"
#include "controller/program/policy_file.h"
#include "core/io/number_text.h"

namespace wan::controller {
namespace {

using nlohmann::json;

constexpr std::size_t kLimitDefault = 50;
constexpr std::size_t kLimitMax = 1000;
constexpr double kPauseMax_s = 366.0 * 86400.0;
constexpr double kConfirmMax_s = 86400.0;

ApiResponse ok(json body) { return {.status = 200, .body = std::move(body), .text = {}, .content_type = {}}; }

ApiResponse not_found(const std::string& what, std::string_view next) { return api_error(404, "no " + what, next); }

ApiResponse error_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return api_error(404, error.message, "aiwanctl get decisions lists them");
    case ErrorCode::kStaleInput:
    case ErrorCode::kUnsupported:
      return api_error(409, error.message, "aiwanctl get decisions shows what waits");
    default:
      return api_error(500, error.message);
  }
}

/// A body's text field; nothing when it is absent or no text.
std::optional<std::string> text_of(const json& body, const char* key) {
  const auto at = body.find(key);
  if (at == body.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

bool has(const json& body, const char* key) {
  const auto at = body.find(key);
  return at != body.end() && !at->is_null();
}

/// A body's number within bounds; nothing when it is anything else.
std::optional<double> number_of(const json& body, const char* key, double low, double high) {
  const auto at = body.find(key);
  if (at == body.end() || !at->is_number()) return std::nullopt;
  const double value = at->get<double>();
  if (!std::isfinite(value) || value < low || value > high) return std::nullopt;
  return value;
}

std::chrono::seconds whole_seconds(double value) {
  return std::chrono::seconds{static_cast<std::int64_t>(std::ceil(value))};
}

std::optional<std::string> after(const std::string& path, std::string_view start) {
  if (!path.starts_with(start)) return std::nullopt;
  return path.substr(start.size());
}

/// What changes in the operator's words, entry by entry.
json policy_changes(const json& before, const json& after) {
  json changes = json::array();
  for (const auto& [key, value] : after.items()) {
    if (before.at(key) == value) continue;
    if (!value.is_array()) {
      changes.push_back(key + ": " + before.at(key).dump() + " -> " + value.dump());
      continue;
    }
    for (const json& entry : before.at(key)) {
      if (std::find(value.begin(), value.end(), entry) == value.end()) changes.push_back(key + " - " + entry.dump());
    }
    for (const json& entry : value) {
      if (std::find(before.at(key).begin(), before.at(key).end(), entry) == before.at(key).end()) {
        changes.push_back(key + " + " + entry.dump());
      }
    }
  }
  return changes;
}

Result<std::size_t> class_of(const PolicySet& policies, const json& entry) {
  const auto name = text_of(entry, "class");
  if (!name) return std::size_t{0};
  for (std::size_t c = 0; c < policies.classes.size(); ++c) {
    if (policies.classes[c].name == *name) return c;
  }
  return fail(ErrorCode::kNotFound, "no class " + *name);
}

Result<Rehearsal::Rate> rate_of(const DaemonState& state, const PolicySet& policies, const json& entry) {
  const auto from = state.topology().find_node(text_of(entry, "from").value_or(""));
  const auto to = state.topology().find_node(text_of(entry, "to").value_or(""));
  if (!from || !to || *from == *to) {
    return fail(ErrorCode::kBadInput, "demands: from and to must be two nodes, in " + entry.dump());
  }
  const auto rate = number_of(entry, "rate_bps", 0.0, 1e18);
  if (!rate) return fail(ErrorCode::kBadInput, "demands: rate_bps must be a number from 0, in " + entry.dump());
  const auto cls = class_of(policies, entry);
  if (!cls) return tl::unexpected<Error>{cls.error()};
  return Rehearsal::Rate{.demand = {.cls = TrafficClass{*cls}, .from = *from, .to = *to}, .rate = BitRate::bps(*rate)};
}

Result<Rehearsal> rehearsal_of(const DaemonState& state, const json& body) {
  Rehearsal what;
  if (const auto text = text_of(body, "text")) {
    auto policies = parse_policies(*text, text_of(body, "name").value_or("policies"), state.network);
    if (!policies)
      return tl::unexpected<Error>{Error{.code = ErrorCode::kShapeMismatch, .message = policies.error().message}};
    what.policies = *std::move(policies);
  }
  const PolicySet& policies = what.policies ? *what.policies : state.policies;
  if (has(body, "scale")) {
    const auto scale = number_of(body, "scale", 0.0, 1000.0);
    if (!scale) return fail(ErrorCode::kBadInput, "scale must be a number from 0 to 1000");
    what.scale = *scale;
  }
  if (has(body, "down") && !body["down"].is_array()) return fail(ErrorCode::kBadInput, "down must be a list of names");
  for (const json& target : body.value("down", json::array())) {
    const std::string name = target.is_string() ? target.get<std::string>() : target.dump();
    const std::vector<LinkId> links = state.network.links_named(name);
    if (links.empty()) return fail(ErrorCode::kNotFound, "no link, node or shared-risk group " + name);
    what.down.insert(what.down.end(), links.begin(), links.end());
    if (const auto node = state.topology().find_node(name)) what.nodes_down.push_back(*node);
  }
  if (has(body, "demands") && !body["demands"].is_array()) return fail(ErrorCode::kBadInput, "demands must be a list");
  for (const json& entry : body.value("demands", json::array())) {
    if (!entry.is_object()) return fail(ErrorCode::kBadInput, "demands: an entry is {from, to, class, rate_bps}");
    auto rate = rate_of(state, policies, entry);
    if (!rate) return tl::unexpected<Error>{rate.error()};
    what.demands.push_back(*rate);
  }
  return what;
}

/// Waits for a rehearsal on the HTTP thread.
ApiResponse once_rehearsed(std::optional<std::future<json>> answer) {
  if (!answer) return api_error(503, "too many rehearsals wait", "try again in a moment");
  auto waiting = std::make_shared<std::future<json>>(std::move(*answer));  // shared: std::function must copy
  ApiResponse response;
  response.then = [waiting] {
    try {
      return ok(waiting->get());
    } catch (const std::exception& error) {
      return api_error(500, std::string{"the rehearsal failed: "}.append(error.what()));
    }
  };
  return response;
}

}  // namespace

ApiHandler::ApiHandler(DaemonState& state, PlanKeeper& keeper, Automation& automation, Operations& operations,
                       StateStore& store, RehearsalThread& rehearsals, std::function<std::string()> metrics)
    : state_{state},
      keeper_{keeper},
      automation_{automation},
      operations_{operations},
      store_{store},
      rehearsals_{rehearsals},
      metrics_{std::move(metrics)} {}

ApiResponse ApiHandler::answer(const ApiRequest& request, Timestamp now) {
  ++state_.counts.requests;
  if (request.method == "GET" || request.method == "HEAD") return get(request, now);
  if (request.method == "POST") return post(request, now);
  return api_error(400, "the method must be GET or POST");
}

ApiResponse ApiHandler::get(const ApiRequest& request, Timestamp now) {
  const std::string& path = request.path;
  if (path == "/v1/status") return ok(status_json(state_, now));
  if (path == "/v1/nodes") return ok(nodes_json(state_));
  if (path == "/v1/links") return ok(links_json(state_));
  if (path == "/v1/demands") return ok(demands_json(state_));
  if (path == "/v1/plans") return plans();
  if (path == "/v1/alarms") return ok(alarms_json(state_));
  if (path == "/v1/decisions") return decisions(request);
  if (path == "/v1/policies") return ok(policies_json(state_));
  if (path == "/v1/openapi.yaml")
    return {.status = 200, .body = {}, .text = std::string{openapi_text()}, .content_type = "application/yaml"};
  if (path == "/metrics")
    return {.status = 200, .body = {}, .text = metrics_(), .content_type = "text/plain; version=0.0.4"};
  for (const std::string kind : {"nodes", "links", "plans", "decisions"}) {
    if (const auto name = after(path, "/v1/" + kind + "/")) return get_one(kind, *name);
  }
  return not_found("resource " + path, "GET /v1/openapi.yaml lists them");
}

ApiResponse ApiHandler::get_one(const std::string& kind, const std::string& name) {
  if (kind == "nodes") {
    const auto node = state_.topology().find_node(name);
    return node ? ok(node_json(state_, *node)) : not_found("node " + name, "aiwanctl get nodes lists them");
  }
  if (kind == "links") {
    const auto link = state_.topology().find_link(name);
    return link ? ok(link_json(state_, *link)) : not_found("link " + name, "aiwanctl get links lists them");
  }
  if (kind == "decisions") return get_decision(name);
  const auto epoch = io::parse_count(name);
  const PlanRecord* plan = epoch ? state_.ledger.find_plan(*epoch) : nullptr;
  return plan != nullptr ? ok(plan_json(state_, keeper_, *plan, true))
                         : not_found("plan of epoch " + name, "aiwanctl get plans lists them");
}

ApiResponse ApiHandler::get_decision(const std::string& name) {
  constexpr std::string_view kSuffix = "/explanation";
  const bool explained = name.ends_with(kSuffix);
  const auto id = io::parse_count(explained ? name.substr(0, name.size() - kSuffix.size()) : name);
  if (!id || *id == 0 || *id > state_.ledger.last_decision_id) {
    return not_found("decision " + name, "aiwanctl get decisions lists them");
  }
  if (explained) return explanation(*id);
  if (const DecisionRecord* decision = state_.ledger.find_decision(*id)) return ok(to_json(*decision));
  auto stored =
      std::make_shared<std::future<std::optional<DecisionRecord>>>(store_.decision(*id));  // std::function copies
  ApiResponse response;
  response.then = [stored, name] {
    const auto decision = stored->get();
    return decision ? ok(to_json(*decision))
                    : not_found("decision " + name + " any more", "aiwanctl get decisions lists them");
  };
  return response;
}

ApiResponse ApiHandler::explanation(std::uint64_t id) {
  const auto with_decision = [](json explained, json decision) {
    explained["decision"] = std::move(decision);
    return ok(std::move(explained));
  };
  const DecisionRecord* decision = state_.ledger.find_decision(id);
  const auto kept = state_.ledger.explanations.find(id);
  if (decision != nullptr && kept != state_.ledger.explanations.end()) {
    return with_decision(json::parse(kept->second), to_json(*decision));
  }
  auto stored =
      std::make_shared<std::future<std::optional<std::string>>>(store_.explanation(id));  // std::function copies
  auto record = std::make_shared<std::future<std::optional<DecisionRecord>>>(store_.decision(id));
  ApiResponse response;
  response.then = [stored, record, with_decision, id] {
    const auto text = stored->get();
    const auto of = record->get();
    if (!of) return not_found("decision " + std::to_string(id) + " any more", "aiwanctl get decisions lists them");
    json explained = text ? json::parse(*text, nullptr, false) : json();
    if (!explained.is_object()) {
      explained = {{"inputs", json::object()},
                   {"binding_links", json::array()},
                   {"changes", json::array()},
                   {"rejected", json::array()}};
    }
    return with_decision(std::move(explained), to_json(*of));
  };
  return response;
}

ApiResponse ApiHandler::decisions(const ApiRequest& request) const {
  std::size_t limit = kLimitDefault;
  if (const auto asked = request.query.find("limit"); asked != request.query.end()) {
    const auto count = io::parse_count(asked->second);
    if (!count || *count == 0 || *count > kLimitMax)
      return api_error(400, "limit must be a whole number from 1 to 1000");
    limit = *count;
  }
  json items = json::array();
  for (auto at = state_.ledger.decisions.rbegin(); at != state_.ledger.decisions.rend() && items.size() < limit; ++at) {
    items.push_back(to_json(*at));
  }
  return ok({{"items", std::move(items)}});
}

ApiResponse ApiHandler::plans() const {
  json items = json::array();
  for (auto at = state_.ledger.plans.rbegin(); at != state_.ledger.plans.rend(); ++at) {
    items.push_back(plan_json(state_, keeper_, *at, false));
  }
  return ok({{"items", std::move(items)}});
}

ApiResponse ApiHandler::post(const ApiRequest& request, Timestamp now) {
  const std::string& path = request.path;
  if (path == "/v1/mode") return set_mode(request, now);
  if (path == "/v1/pause") return pause(request, now);
  if (path == "/v1/resume") return status_once(operations_.resume(), now);
  if (path == "/v1/policies/apply") return apply(request, now);
  if (path == "/v1/policies/check") return check(request, now);
  if (path == "/v1/policies/confirm") return operations_.confirm();
  if (path == "/v1/policies/rollback") {
    std::optional<std::uint64_t> to;
    if (has(request.body, "to")) {
      const auto version = number_of(request.body, "to", 0.0, 1e15);
      if (!version) return api_error(400, "to must be a version number");
      to = static_cast<std::uint64_t>(*version);
    }
    return operations_.rollback(to, now);
  }
  if (path == "/v1/drain" || path == "/v1/undrain") {
    const auto target = text_of(request.body, "target");
    if (!target) return api_error(400, "target must name a link, a node or a shared-risk group");
    return path == "/v1/drain" ? operations_.drain(*target, now) : operations_.undrain(*target, now);
  }
  if (path == "/v1/simulate") return simulate(request, now);
  if (const auto rest = after(path, "/v1/decisions/"); rest && rest->ends_with("/approve")) {
    return approve(rest->substr(0, rest->size() - std::string_view{"/approve"}.size()));
  }
  return not_found("resource " + path, "GET /v1/openapi.yaml lists them");
}

ApiResponse ApiHandler::status_once(StateStore::Written written, Timestamp now) {
  return once_written(std::move(written), ok(status_json(state_, now)));
}

ApiResponse ApiHandler::set_mode(const ApiRequest& request, Timestamp now) {
  const auto mode = mode_named(text_of(request.body, "mode").value_or(""));
  if (!mode) return api_error(400, "mode must be observe, advise or auto");
  return status_once(operations_.set_mode(*mode), now);
}

ApiResponse ApiHandler::pause(const ApiRequest& request, Timestamp now) {
  std::optional<Timestamp> until;
  if (has(request.body, "for_s")) {
    const auto seconds = number_of(request.body, "for_s", 1e-9, kPauseMax_s);
    if (!seconds) return api_error(400, "for_s must be seconds above 0, up to a year");
    until = now + whole_seconds(*seconds);
  }
  return status_once(operations_.pause(until), now);
}

ApiResponse ApiHandler::approve(const std::string& id) {
  const auto number = io::parse_count(id);
  if (!number) return not_found("decision " + id, "aiwanctl get decisions lists them");
  const auto approved = automation_.approve(*number);
  if (!approved) return error_of(approved.error());
  return ok(to_json(*state_.ledger.find_decision(*approved)));
}

ApiResponse ApiHandler::apply(const ApiRequest& request, Timestamp now) {
  const auto text = text_of(request.body, "text");
  if (!text) return api_error(400, "text must hold the policies as YAML");
  Operations::Apply what{.text = *text,
                         .name = text_of(request.body, "name").value_or("policies"),
                         .state = text_of(request.body, "state"),
                         .confirm_within = {}};
  if (has(request.body, "confirm_within_s")) {
    const auto seconds = number_of(request.body, "confirm_within_s", 1e-9, kConfirmMax_s);
    if (!seconds) return api_error(400, "confirm_within_s must be seconds above 0, up to a day");
    what.confirm_within = whole_seconds(*seconds);
  }
  return operations_.apply(what, now);
}

LiveCopy ApiHandler::live_copy(Timestamp now) const {
  LiveCopy live{.physical = state_.links.physical(),
                .managed = state_.managed,
                .kept_empty = {},
                .operator_drains = {},
                .policies = state_.policies,
                .in_force = state_.in_force.plan,
                .outlook = state_.outlook,
                .max_moved_share = state_.config.max_moved_share,
                .now = now};
  for (std::size_t l = 0; l < state_.topology().link_count(); ++l) {
    if (state_.links.is_kept_empty(LinkId{l})) live.kept_empty.push_back(LinkId{l});
  }
  for (const std::string& target : state_.settings.drains) {
    const auto links = state_.network.links_named(target);
    live.operator_drains.insert(live.operator_drains.end(), links.begin(), links.end());
  }
  return live;
}

ApiResponse ApiHandler::check(const ApiRequest& request, Timestamp now) {
  const auto text = text_of(request.body, "text");
  if (!text) return api_error(400, "text must hold the policies as YAML");
  const std::string name = text_of(request.body, "name").value_or("policies");
  auto policies = parse_policies(*text, name, state_.network);
  if (!policies)
    return api_error(422, policies.error().message, "correct the file; docs/formats/policy.md tells its keys");
  if (state_.outlook.scenarios.empty())
    return api_error(503, "no traffic has been measured yet", "try again in an interval");
  json saved{
      {"format", "aiwan-saved-plan-1"},
      {"state", state_.state_digest()},
      {"network", state_.topology().digest()},
      {"policy_text", *text},
      {"policy_name", name},
      {"created", format_timestamp(now)},
      {"policy_changes", policy_changes(policy_set_json(state_, state_.policies), policy_set_json(state_, *policies))}};
  return once_rehearsed(rehearsals_.ask([live = live_copy(now), policies = *std::move(policies), saved]() mutable {
    if (!policies.utilization_target) policies.utilization_target = live.policies.utilization_target;
    saved.update(preview(live, policies));
    return saved;
  }));
}

ApiResponse ApiHandler::simulate(const ApiRequest& request, Timestamp now) {
  auto what = rehearsal_of(state_, request.body);
  if (!what) {
    const ErrorCode code = what.error().code;
    return api_error(code == ErrorCode::kNotFound        ? 404
                     : code == ErrorCode::kShapeMismatch ? 422
                                                         : 400,
                     what.error().message);
  }
  if (state_.outlook.scenarios.empty())
    return api_error(503, "no traffic has been measured yet", "try again in an interval");
  return once_rehearsed(
      rehearsals_.ask([live = live_copy(now), what = *std::move(what)] { return rehearse(live, what); }));
}

}  // namespace wan::controller
