#include "controller/program/aiwand/operations.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "controller/policy_paths.h"
#include "controller/program/policy_file.h"
#include "core/io/text_source.h"

namespace wan::controller {
namespace {

using nlohmann::json;

constexpr std::size_t kPolicyBytesMax = std::size_t{1} << 20;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

bool same_classification(const PolicySet& a, const PolicySet& b) {
  return std::equal(a.classes.begin(), a.classes.end(), b.classes.begin(), b.classes.end(),
                    [](const ClassPolicy& x, const ClassPolicy& y) { return x.dscps == y.dscps; });
}

std::string pair_names(const Topology& topology, const std::vector<std::pair<NodeId, NodeId>>& pairs) {
  constexpr std::size_t kNamed = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(pairs.size(), kNamed); ++i) {
    text.append(text.empty() ? "" : ", ").append(topology.node(pairs[i].first).name).append(" > ");
    text.append(topology.node(pairs[i].second).name);
  }
  if (pairs.size() > kNamed) text.append(" and ").append(std::to_string(pairs.size() - kNamed)).append(" more");
  return text;
}

}  // namespace

Operations::Operations(DaemonState& state, Planning& planning, Automation& automation, StateStore& store,
                       std::function<void()> classes_changed)
    : state_{state},
      planning_{planning},
      automation_{automation},
      store_{store},
      classes_changed_{std::move(classes_changed)} {}

Result<PolicySet> Operations::read(const PolicyVersion& version) const {
  if (version.text.empty()) return PolicySet{};
  return parse_policies(version.text, version.name, state_.network);
}

Result<void> Operations::start(Timestamp now) {
  const PolicyVersion* stored = state_.policies_in_force();
  if (stored == nullptr && state_.config.policies && state_.policy_versions.empty()) {
    auto text = io::read_whole_file(*state_.config.policies, kPolicyBytesMax);
    if (!text) return tl::unexpected<Error>{text.error()};
    PolicyVersion first{.version = 1, .time = now, .name = state_.config.policies->string(), .text = *std::move(text)};
    auto policies = read(first);
    if (!policies) return tl::unexpected<Error>{policies.error()};
    state_.settings.policy_version = 1;
    state_.policies = *std::move(policies);
    state_.policy_versions.push_back(first);
    static_cast<void>(store_.put(first, state_.settings));
  } else if (stored != nullptr) {
    auto policies = read(*stored);
    if (policies) {
      state_.policies = *std::move(policies);
    } else {  // the network file has changed since
      state_.degraded["policies"] = "the stored policies do not fit the network any more: " + policies.error().message;
    }
  }
  tick(now);
  refresh_links(now);
  return {};
}

std::vector<LinkId> Operations::links_to_empty(Timestamp now) const {
  std::vector<LinkId> links = state_.policies.links_kept_empty(now);
  for (const std::string& target : state_.settings.drains) {
    const std::vector<LinkId> named = state_.network.links_named(target);
    links.insert(links.end(), named.begin(), named.end());
  }
  return links;
}

std::optional<std::uint64_t> Operations::refresh_links(Timestamp now) {
  if (!state_.links.keep_empty(links_to_empty(now))) return std::nullopt;
  planning_.topology_changed();
  automation_.drop_proposal();
  return automation_.replan();
}

std::optional<std::uint64_t> Operations::put_in_force(PolicySet policies, std::uint64_t version, Timestamp now) {
  const bool classified_anew = !same_classification(policies, state_.policies);
  state_.policies = std::move(policies);
  state_.settings.policy_version = version;
  state_.degraded.erase("policies");
  state_.links.keep_empty(links_to_empty(now));
  automation_.drop_proposal();
  if (classified_anew) classes_changed_();
  planning_.policies_changed();
  planning_.topology_changed();
  auto decision = automation_.replan();
  if (classified_anew && !state_.in_force.base && state_.settings.mode != Mode::kObserve && !state_.settings.paused) {
    const DecisionRecord* made = decision ? state_.ledger.find_decision(*decision) : nullptr;
    if (made == nullptr || made->state != DecisionState::kInstalled) {  // the nodes must know the new classes
      const PathPlan plan = with_class_count(state_.in_force.plan, state_.policies.classes.size());
      static_cast<void>(automation_.install_again(plan, "the plan in force with the classes of the new policies"));
    }
  }
  return decision;
}

void Operations::tick(Timestamp now) {
  Settings& settings = state_.settings;
  if (settings.paused && settings.paused_until && now >= *settings.paused_until) {
    settings.paused = false;
    settings.paused_until.reset();
    static_cast<void>(store_.put(settings));
    spdlog::info("the pause is over");
  }
  if (settings.unconfirmed && now >= settings.unconfirmed->deadline) undo_unconfirmed(now);
  if (put_back_) put_plan_back();
  if (!state_.policies.maintenance.empty()) refresh_links(now);
}

std::optional<Timestamp> Operations::next_moment() const {
  std::optional<Timestamp> next;
  const auto consider = [&next](Timestamp at) { next = next ? std::min(*next, at) : at; };
  if (state_.settings.paused && state_.settings.paused_until) consider(*state_.settings.paused_until);
  if (state_.settings.unconfirmed) consider(state_.settings.unconfirmed->deadline);
  return next;
}

void Operations::undo_unconfirmed(Timestamp now) {
  const Settings::Unconfirmed waits = *state_.settings.unconfirmed;
  state_.settings.unconfirmed.reset();
  PolicyVersion before{.version = 0, .time = now, .name = "no policies", .text = {}};
  for (const PolicyVersion& version : state_.policy_versions) {
    if (version.version == waits.previous_version) before = version;
  }
  const std::uint64_t undone = state_.settings.policy_version;
  auto policies = read(before);
  put_in_force(policies ? *std::move(policies) : PolicySet{}, before.version, now);
  static_cast<void>(store_.put(state_.settings));
  spdlog::warn("policies {} were not confirmed in time: {} are in force again", undone, before.version);
  // In auto the re-plan has done it. Otherwise a plan approved meanwhile goes back with the policies it was made for.
  if (state_.automatic() || state_.settings.mode == Mode::kObserve) return;
  put_back_ =
      PutBack{.epoch = waits.previous_epoch,
              .reason = "policies " + std::to_string(undone) + " were not confirmed: the plan before them is put back"};
  put_plan_back();
}

void Operations::put_plan_back() {
  const PlanRecord* plan = state_.ledger.find_plan(put_back_->epoch);
  if (plan == nullptr || plan->digest == state_.in_force.digest || !plan->plan.check(state_.links.physical())) {
    put_back_.reset();
    return;
  }
  const PathPlan paths = plan->plan;  // the ledger changes by the install
  const auto done = automation_.install_again(paths, put_back_->reason);
  if (!done && done.error().code == ErrorCode::kUnsupported) return;  // no node has spoken yet: again later
  if (!done) spdlog::error("the plan before the policies is not put back: {}", done.error().message);
  put_back_.reset();
}

ApiResponse once_written(StateStore::Written written, ApiResponse answer) {
  ApiResponse waiting;
  waiting.then = [written = std::move(written), answer = std::move(answer)] {
    const Result<void>& outcome = written.get();
    if (!outcome) return api_error(500, "in force, but not kept across a restart: " + outcome.error().message);
    return answer;
  };
  return waiting;
}

StateStore::Written Operations::set_mode(Mode mode) {
  spdlog::info("mode {}", to_string(mode));
  if (mode != state_.settings.mode && mode != Mode::kAdvise) automation_.drop_proposal();
  state_.settings.mode = mode;
  return store_.put(state_.settings);
}

StateStore::Written Operations::pause(std::optional<Timestamp> until) {
  state_.settings.paused = true;
  state_.settings.paused_until = until;
  spdlog::info("paused{}", until ? " until " + format_timestamp(*until) : std::string{});
  return store_.put(state_.settings);
}

StateStore::Written Operations::resume() {
  state_.settings.paused = false;
  state_.settings.paused_until.reset();
  spdlog::info("resumed");
  return store_.put(state_.settings);
}

ApiResponse Operations::apply(const Apply& what, Timestamp now) {
  if (what.state && *what.state != state_.state_digest()) {
    return api_error(409, "the network's state is not the one that this plan was saved for",
                     "make the plan anew: aiwanctl plan -f FILE -o FILE");
  }
  if (what.confirm_within && state_.settings.unconfirmed) {
    return api_error(409,
                     "policies " + std::to_string(state_.settings.policy_version) + " still wait for a confirmation",
                     "aiwanctl confirm, or wait for their rollback");
  }
  PolicyVersion version{.version = state_.policy_versions.empty() ? 1 : state_.policy_versions.back().version + 1,
                        .time = now,
                        .name = what.name,
                        .text = what.text};
  auto policies = read(version);
  if (!policies)
    return api_error(422, policies.error().message, "correct the file; docs/formats/policy.md tells its keys");
  Settings& settings = state_.settings;
  if (what.confirm_within) {
    // `now` is the second that runs: rounded up, so that nothing is undone before its time.
    settings.unconfirmed = Settings::Unconfirmed{.deadline = now + *what.confirm_within + std::chrono::seconds{1},
                                                 .previous_version = settings.policy_version,
                                                 .previous_epoch = state_.in_force.epoch};
  } else {
    settings.unconfirmed.reset();
  }
  settings.policy_version = version.version;
  state_.policy_versions.push_back(version);
  StateStore::Written written = store_.put(version, settings);
  const auto decision = put_in_force(*std::move(policies), version.version, now);
  spdlog::info("policies {} in force, from {}", version.version, version.name);
  json until = nullptr;
  if (settings.unconfirmed) until = format_timestamp(settings.unconfirmed->deadline);
  return once_written(
      std::move(written),
      {.status = 200,
       .body = {{"version", version.version}, {"decision", or_null(decision)}, {"confirm_until", std::move(until)}},
       .text = {},
       .content_type = {}});
}

ApiResponse Operations::confirm() {
  if (!state_.settings.unconfirmed) {
    return api_error(409, "no policies wait for a confirmation", "aiwanctl get policies shows what is in force");
  }
  state_.settings.unconfirmed.reset();
  spdlog::info("policies {} confirmed", state_.settings.policy_version);
  return once_written(
      store_.put(state_.settings),
      {.status = 200, .body = {{"version", state_.settings.policy_version}}, .text = {}, .content_type = {}});
}

ApiResponse Operations::rollback(std::optional<std::uint64_t> to, Timestamp now) {
  const PolicyVersion* wanted = nullptr;
  for (const PolicyVersion& version : state_.policy_versions) {
    const bool fits = to ? version.version == *to : version.version < state_.settings.policy_version;
    if (fits) wanted = &version;
  }
  if (wanted == nullptr && to && *to != 0) return api_error(404, "no policies of version " + std::to_string(*to));
  if (wanted == nullptr && state_.settings.policy_version == 0) {
    return api_error(409, "there are no policies to go back from");
  }
  Apply what{.text = wanted != nullptr ? wanted->text : std::string{},
             .name = wanted != nullptr ? wanted->name : std::string{"no policies"},
             .state = {},
             .confirm_within = {}};
  return apply(what, now);
}

ApiResponse Operations::drain(const std::string& target, Timestamp now) {
  const std::vector<LinkId> named = state_.network.links_named(target);
  if (named.empty()) {
    return api_error(404, "no link, node or shared-risk group " + target, "aiwanctl get links and get nodes list them");
  }
  std::vector<bool> ends = state_.managed;  // of pairs that must stay connected: a drained node may be an end itself
  std::vector<bool> is_down(state_.topology().link_count(), false);
  std::vector<LinkId> down;
  for (std::size_t l = 0; l < is_down.size(); ++l) {
    if (!state_.links.planning().links()[l].up) down.push_back(LinkId{l});
  }
  down.insert(down.end(), named.begin(), named.end());
  if (const auto node = state_.topology().find_node(target)) ends[node->index()] = false;
  const auto cut = pairs_cut(state_.links.planning(), state_.topology().with_links_down(down), ends);
  if (!cut.empty()) {
    return api_error(409, "draining " + target + " would cut off " + pair_names(state_.topology(), cut),
                     "undrain another link first");
  }
  auto& drains = state_.settings.drains;
  if (std::find(drains.begin(), drains.end(), target) == drains.end()) drains.push_back(target);
  const auto decision = refresh_links(now);
  spdlog::info("drain {}", target);
  json targets = json::array();
  for (const LinkId link : named) targets.push_back(state_.topology().link(link).name);
  return once_written(store_.put(state_.settings),
                      {.status = 200,
                       .body = {{"targets", std::move(targets)}, {"decision", or_null(decision)}},
                       .text = {},
                       .content_type = {}});
}

ApiResponse Operations::undrain(const std::string& target, Timestamp now) {
  const std::vector<LinkId> named = state_.network.links_named(target);
  if (named.empty()) {
    return api_error(404, "no link, node or shared-risk group " + target, "aiwanctl get links and get nodes list them");
  }
  auto& drains = state_.settings.drains;
  const auto covered = [&](const std::string& drained) {
    const std::vector<LinkId> its = state_.network.links_named(drained);
    return drained == target || (!its.empty() && std::all_of(its.begin(), its.end(), [&](LinkId link) {
             return std::find(named.begin(), named.end(), link) != named.end();
           }));
  };
  if (std::erase_if(drains, covered) == 0) {
    const auto by_policy = state_.policies.links_kept_empty(now);
    const bool policy = std::any_of(named.begin(), named.end(), [&](LinkId link) {
      return std::binary_search(by_policy.begin(), by_policy.end(), link);
    });
    return api_error(409, target + (policy ? " is drained by the policies" : " is not drained"),
                     policy ? "apply policies that do not drain it" : "aiwanctl get links shows what is");
  }
  const auto decision = refresh_links(now);
  spdlog::info("undrain {}", target);
  json targets = json::array();
  for (const LinkId link : named) targets.push_back(state_.topology().link(link).name);
  return once_written(store_.put(state_.settings),
                      {.status = 200,
                       .body = {{"targets", std::move(targets)}, {"decision", or_null(decision)}},
                       .text = {},
                       .content_type = {}});
}

}  // namespace wan::controller
