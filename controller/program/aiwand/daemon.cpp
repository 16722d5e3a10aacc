#include "controller/program/aiwand/daemon.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "controller/program/aiwand/api_handler.h"
#include "controller/program/aiwand/api_server.h"
#include "controller/program/aiwand/automation.h"
#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/metrics_text.h"
#include "controller/program/aiwand/operations.h"
#include "controller/program/aiwand/plan_keeper.h"
#include "controller/program/aiwand/planning.h"
#include "controller/program/aiwand/recorder.h"
#include "controller/program/aiwand/rehearsal_thread.h"
#include "controller/program/aiwand/state_store.h"
#include "telemetry/matrix_builder.h"
#include "telemetry/zmq/bus.h"

namespace wan::controller {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kWaitMax_ns = 250'000'000;  // between looks at the clock
constexpr int kMessagesInARow = 1000;              // before intervals and requests are looked at again
constexpr int kSilentIntervals = 3;
constexpr std::size_t kTrainingIntervals = 600;  // of the history, that guard and forecaster are fitted on
constexpr Duration kProgramPatience = std::chrono::seconds{3};
constexpr Duration kSkewMax = std::chrono::milliseconds{500};

Timestamp to_time(std::int64_t ns) { return Timestamp{std::chrono::seconds{ns / kSecond_ns}}; }

/// Where links leave and arrive, for the matrix builder.
std::vector<telemetry::MatrixBuilder::LinkPort> link_ports(const io::NetworkDescription& network) {
  std::vector<telemetry::MatrixBuilder::LinkPort> ports;
  for (std::size_t l = 0; l < network.topology.link_count(); ++l) {
    const Link& link = network.topology.links()[l];
    ports.push_back({.node = network.topology.node(link.from).name,
                     .port = network.ports[l],
                     .far_node = network.topology.node(link.to).name,
                     .far_port = network.ports[network.reverse[l].index()]});
  }
  return ports;
}

telemetry::MatrixBuilder make_builder(const DaemonState& state) {
  return telemetry::MatrixBuilder{state.topology(),
                                  state.managed,
                                  link_ports(state.network),
                                  {.interval = state.config.interval,
                                   .grace = state.config.grace,
                                   .skew_max = kSkewMax,
                                   .class_count = state.policies.classes.size()}};
}

}  // namespace

struct Daemon::Impl {
  Impl(Inputs inputs, telemetry::DaemonBus daemon_bus, std::unique_ptr<StateStore> state_store)
      : now_ns{std::move(inputs.now_ns)},
        bus{std::move(daemon_bus)},
        store{std::move(state_store)},
        state{std::move(inputs.config), std::move(inputs.network), to_time(now_ns())},
        keeper{restored(state, *store), bus},
        planning{state, std::move(inputs.model)},
        automation{state, keeper, planning, *store, now_ns},
        operations{state, planning, automation, *store, [this] { classes_changed(); }},
        builder{make_builder(state)},
        requests{[this] { bus.wake(); }},
        handler{state, keeper, automation, operations, *store, rehearsals, [this] { return exposition(); }} {
    state.alarms.on_new = [this](const Alarm& alarm) { state.metrics.count_alarm(alarm.kind); };
  }

  static DaemonState& restored(DaemonState& state, const StateStore& store);

  void run();
  void classes_changed();
  [[nodiscard]] std::string exposition();
  void wait_and_read();
  void take_message(const telemetry::DaemonBus::Received& received);
  void take(NodeId node, const NodeHello& hello);
  void take(NodeId node, const IntervalReport& report);
  void take(NodeId node, const ProgramAck& ack);
  void take(NodeId node, const telemetry::ProgramReport& report);
  void take_intervals();
  void answer_requests();
  void tick();
  void look_at_bus(Timestamp now);
  void look_at_nodes(std::int64_t now);
  void look_at_programs(std::int64_t now);
  void look_at_store(Timestamp now);
  void topology_changed();
  [[nodiscard]] std::chrono::milliseconds patience() const;

  std::function<std::int64_t()> now_ns;
  telemetry::DaemonBus bus;
  std::unique_ptr<StateStore> store;
  DaemonState state;
  PlanKeeper keeper;
  Planning planning;
  Recorder recorder{state};
  Automation automation;
  Operations operations;
  telemetry::MatrixBuilder builder;
  RequestQueue requests;
  RehearsalThread rehearsals;
  ApiHandler handler;
  std::atomic<bool> stopping{false};
  std::int64_t last_tick_ns = 0;
  std::int64_t last_fault_ns = 0;
  telemetry::BusCounts bus_before;
  std::uint64_t store_failures = 0;
  std::set<std::string> alarm_kinds;  // that /metrics has told of
  std::unique_ptr<ApiServer> server;  // last: its threads stop before what they ask is gone
};

/// What was there when the last daemon ended.
DaemonState& Daemon::Impl::restored(DaemonState& state, const StateStore& store) {
  const StoredState& stored = store.loaded();
  state.settings = stored.settings.value_or(Settings{.mode = state.config.mode});
  state.policy_versions = stored.policies;
  state.ledger.decisions = stored.decisions;
  state.ledger.plans = stored.plans;
  state.ledger.last_decision_id = stored.last_decision_id;
  for (DecisionRecord& decision : state.ledger.decisions) {
    if (decision.state == DecisionState::kProposed) decision.state = DecisionState::kSuperseded;  // its plan is gone
  }
  return state;
}

void Daemon::Impl::run() {
  spdlog::info("mode {}{}, nodes connect to {}", to_string(state.settings.mode),
               state.settings.paused ? ", paused" : "", bus.endpoint());
  while (!stopping) {
    wait_and_read();
    take_intervals();
    answer_requests();
    tick();
  }
  requests.close();
  store->flush();
  spdlog::info("stopped; the network stays as it is");
}

void Daemon::Impl::classes_changed() {
  builder = make_builder(state);
  recorder.open();
}

std::string Daemon::Impl::exposition() {
  for (std::size_t n = 0; n < state.nodes.size(); ++n) {
    const NodeEntry& node = state.nodes.at(NodeId{n});
    state.metrics.set_node_reporting(NodeId{n}, node.managed && node.seen && !node.silent);
  }
  std::map<std::string, std::size_t> active;
  for (const Alarm& alarm : state.alarms.all()) ++active[alarm.kind];
  for (const std::string& kind : alarm_kinds) state.metrics.set_alarms(kind, 0);
  for (const auto& [kind, count] : active) {
    alarm_kinds.insert(kind);
    state.metrics.set_alarms(kind, count);
  }
  state.metrics.set_bus(bus.counts());
  state.metrics.set_builder(builder.counts());
  return state.metrics.exposition() + metrics_text(state, keeper, to_time(now_ns()));
}

std::chrono::milliseconds Daemon::Impl::patience() const {
  const std::int64_t now = now_ns();
  std::int64_t until = now + kWaitMax_ns;
  if (const auto deadline = builder.next_deadline_ns()) until = std::min(until, *deadline);
  if (const auto moment = operations.next_moment()) {
    until = std::min(until, std::int64_t{moment->time_since_epoch().count()} * kSecond_ns);
  }
  const std::int64_t wait_ns = std::max<std::int64_t>(0, until - now);
  return std::chrono::milliseconds{(wait_ns + 999'999) / 1'000'000};
}

void Daemon::Impl::wait_and_read() {
  auto received = bus.receive(patience());
  for (int count = 0; received && count < kMessagesInARow && !stopping; ++count) {
    take_message(*received);
    received = bus.receive(std::chrono::milliseconds{0});
  }
  if (received) take_message(*received);
}

void Daemon::Impl::take_message(const telemetry::DaemonBus::Received& received) {
  const auto node = state.topology().find_node(received.node);
  if (!node || !state.managed[node->index()]) {
    state.alarms.raise({.kind = "unknown_node",
                        .subject = "",
                        .text = received.node + " reports: the network file does not have it, or has it as unmanaged"},
                       to_time(now_ns()));
    return;
  }
  std::visit([&](const auto& message) { take(*node, message); }, received.message);
}

void Daemon::Impl::take(NodeId node, const NodeHello& hello) {
  const std::int64_t now = now_ns();
  state.nodes.take(node, hello, now);
  const bool changed = state.links.take_ports(node, hello.ports);
  if (keeper.hello(node, hello, now)) spdlog::info("plan of epoch {} adopted from the nodes", state.in_force.epoch);
  automation.note_plan_in_force();
  if (changed) topology_changed();
}

void Daemon::Impl::take(NodeId node, const IntervalReport& report) {
  const std::int64_t now = now_ns();
  state.nodes.take(node, report, now);
  builder.add(report, now);
  const std::string& name = state.topology().node(node).name;
  const std::int64_t skew = now - report.end_ns;
  if (std::abs(skew) > kSkewMax.count()) {
    state.alarms.raise({.kind = "clock_skew",
                        .subject = name,
                        .text = "its interval ended " + std::to_string(skew / 1'000'000) + " ms ago by our clock"},
                       to_time(now));
  } else {
    state.alarms.clear("clock_skew", name);
  }
}

void Daemon::Impl::take(NodeId node, const ProgramAck& ack) {
  const std::int64_t now = now_ns();
  state.nodes.take(node, ack, now);
  const std::string& name = state.topology().node(node).name;
  const Southbound::Answer answer = keeper.ack(node, ack, now);
  if (answer.refused) {
    ++state.counts.programs_refused;
    state.metrics.observe_install("refused", Duration{0});
    state.alarms.raise({.kind = "program_refused",
                        .subject = name,
                        .text = "epoch " + std::to_string(ack.epoch) + ": " + ack.reason,
                        .critical = true},
                       to_time(now));
    spdlog::error("{} refuses the program of epoch {}: {}", name, ack.epoch, ack.reason);
  } else if (ack.accepted) {
    state.alarms.clear("program_refused", name);
  }
  if (!answer.complete_now) return;
  if (const auto round = keeper.southbound().round_time()) {
    state.metrics.observe_install("acknowledged", *round);
    spdlog::debug("epoch {} acknowledged by all nodes after {:.1f} ms", ack.epoch, to_milliseconds(*round));
  }
}

void Daemon::Impl::take(NodeId node, const telemetry::ProgramReport& report) {
  if (keeper.report(node, report, now_ns()))
    spdlog::info("plan of epoch {} adopted from the nodes", state.in_force.epoch);
  automation.note_plan_in_force();
}

void Daemon::Impl::topology_changed() {
  for (std::size_t l = 0; l < state.topology().link_count(); ++l) {
    const Link& link = state.links.physical().links()[l];
    if (link.up) {
      if (state.alarms.clear("link_down", link.name)) spdlog::info("link {} is up", link.name);
    } else if (state.alarms.raise({.kind = "link_down",
                                   .subject = link.name,
                                   .text = "a port at one of its ends is down",
                                   .critical = true},
                                  to_time(now_ns()))) {
      spdlog::warn("link {} is down", link.name);
    }
  }
  planning.topology_changed();
  automation.drop_proposal();
  automation.replan();
}

void Daemon::Impl::take_intervals() {
  while (auto measured = builder.take(now_ns(), state.in_force.plan)) {
    automation.take(*std::move(measured));
    recorder.record(state.last->measured);
  }
}

void Daemon::Impl::answer_requests() {
  while (auto waiting = requests.pop()) {
    ApiResponse answer;
    try {
      answer = handler.answer(waiting->request, to_time(now_ns()));
    } catch (const std::exception& error) {
      answer = api_error(500, error.what());
    }
    waiting->answer.set_value(std::move(answer));
  }
}

void Daemon::Impl::tick() {
  const std::int64_t now = now_ns();
  operations.tick(to_time(now));
  if (keeper.tick(now)) automation.note_plan_in_force();
  look_at_bus(to_time(now));
  if (now - last_tick_ns < kWaitMax_ns) return;
  last_tick_ns = now;
  look_at_nodes(now);
  look_at_programs(now);
  look_at_store(to_time(now));
}

void Daemon::Impl::look_at_bus(Timestamp now) {
  const std::int64_t at = now_ns();
  if (at - last_fault_ns < kSecond_ns) return;
  last_fault_ns = at;
  const telemetry::BusCounts counts = bus.counts();
  const std::uint64_t bad = counts.malformed + counts.other_version + counts.misattributed;
  const std::uint64_t bad_before = bus_before.malformed + bus_before.other_version + bus_before.misattributed;
  if (bad > bad_before) {
    const auto fault = bus.take_fault();
    const std::string text = std::to_string(bad - bad_before) + " bus messages refused" +
                             (fault ? ", last from " + fault->peer + ": " + fault->error.message : std::string{});
    spdlog::warn("{}", text);
    state.alarms.raise({.kind = "bus_malformed", .subject = "", .text = text}, now);
  } else if (counts.received > bus_before.received) {
    state.alarms.clear_older("bus_malformed", now - std::chrono::seconds{60});
  }
  bus_before = counts;
}

void Daemon::Impl::look_at_nodes(std::int64_t now) {
  const Duration silence = kSilentIntervals * std::max<Duration>(state.config.interval, std::chrono::seconds{1});
  state.nodes.mark_silent(now, silence);
  for (std::size_t n = 0; n < state.nodes.size(); ++n) {
    const NodeEntry& node = state.nodes.at(NodeId{n});
    const std::string& name = state.topology().node(NodeId{n}).name;
    if (!node.silent) {
      if (state.alarms.clear("node_silent", name)) spdlog::info("{} reports again", name);
    } else if (state.alarms.raise(
                   {.kind = "node_silent",
                    .subject = name,
                    .text = "not heard of for three intervals; its last traffic stands in, its links stay as they are",
                    .critical = true},
                   to_time(now))) {
      spdlog::warn("{} is silent", name);
    }
  }
}

void Daemon::Impl::look_at_programs(std::int64_t now) {
  const Timestamp at = to_time(now);
  for (const NodeId node : keeper.southbound().overdue(now, kProgramPatience)) {
    if (!state.nodes.at(node).seen || state.nodes.at(node).silent) continue;
    state.alarms.raise({.kind = "program_not_taken",
                        .subject = state.topology().node(node).name,
                        .text = "has not taken the program of epoch " + std::to_string(keeper.southbound().epoch()),
                        .critical = true},
                       at);
  }
  state.alarms.clear_older("program_not_taken", at - std::chrono::seconds{1});
}

void Daemon::Impl::look_at_store(Timestamp now) {
  recorder.look(now);
  const StateStore::Failures failures = store->failures();
  state.alarms.clear_older("state_not_written", now - std::chrono::seconds{60});
  if (failures.count == store_failures) return;
  store_failures = failures.count;
  state.alarms.raise({.kind = "state_not_written", .subject = "", .text = failures.newest, .critical = true}, now);
  spdlog::error("{}", failures.newest);
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::make(Inputs inputs) {
  auto store = StateStore::open(inputs.config.state, inputs.network.topology);
  if (!store) return tl::unexpected<Error>{store.error()};
  auto bus = telemetry::DaemonBus::bind(inputs.config.bus);
  if (!bus) return tl::unexpected<Error>{bus.error()};
  const std::optional<std::string> model_problem = inputs.model_problem;
  const bool has_model = inputs.model != nullptr;
  const std::size_t history_wanted = has_model ? inputs.model->history_intervals() : 0;
  auto impl = std::make_unique<Impl>(std::move(inputs), *std::move(bus), *std::move(store));
  if (!has_model) {
    impl->state.degraded["model"] =
        "no model: " + model_problem.value_or("none configured") + "; baseline forecast (EWMA, or the last value)";
    if (model_problem) {
      impl->state.alarms.raise({.kind = "model_missing", .subject = "", .text = *model_problem}, impl->state.started);
    }
  }
  if (auto started = impl->operations.start(impl->state.started); !started)
    return tl::unexpected<Error>{started.error()};
  impl->classes_changed();
  impl->planning.start(impl->recorder.newest(std::max(kTrainingIntervals, history_wanted)));
  impl->planning.warm_up();
  auto server = ApiServer::start(impl->state.config.api, impl->requests);
  if (!server) return tl::unexpected<Error>{server.error()};
  impl->server = *std::move(server);
  return std::unique_ptr<Daemon>{new Daemon{std::move(impl)}};
}

void Daemon::run() { impl_->run(); }

void Daemon::stop() {
  impl_->stopping = true;
  impl_->bus.wake();
}

const std::string& Daemon::bus_endpoint() const { return impl_->bus.endpoint(); }
const std::string& Daemon::api_address() const { return impl_->server->tcp_address(); }

}  // namespace wan::controller
