#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "controller/program/aiwand/alarm_list.h"
#include "controller/program/aiwand/config_file.h"
#include "controller/program/aiwand/network_state.h"
#include "controller/program/aiwand/plan_keeper.h"
#include "controller/program/aiwand/planning.h"
#include "controller/program/aiwand/record_json.h"
#include "controller/program/aiwand/rehearsal_thread.h"
#include "controller/program/aiwand/southbound.h"
#include "controller/program/aiwand/state_store.h"
#include "controller/program/aiwand/what_if.h"
#include "core/io/network_file.h"
#include "core/link_load.h"
#include "core/random.h"
#include "tests/unit/core/scratch_folder.h"

namespace wan::controller {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr Timestamp kNow{std::chrono::seconds{1'700'000'000}};

io::NetworkDescription square() {
  return io::parse_network(R"(
nodes:
  - {name: a, locator: "fc00:0:1::/64", prefixes: [10.1.0.0/16]}
  - {name: b, locator: "fc00:0:2::/64", prefixes: [10.2.0.0/16]}
  - {name: c, locator: "fc00:0:3::/64", prefixes: [10.3.0.0/16]}
  - {name: d, locator: "fc00:0:4::/64", managed: false}
links:
  - {ends: [a, b], ports: [ab, ba], capacity: 10 Mbit/s}
  - {ends: [b, c], ports: [bc, cb], capacity: 10 Mbit/s}
  - {ends: [a, d], ports: [ad, da], capacity: 10 Mbit/s, metric: 5}
  - {ends: [d, c], ports: [dc, cd], capacity: 10 Mbit/s, metric: 5}
)",
                           "square.yaml")
      .value();
}

LinkId link(const io::NetworkDescription& network, std::string_view name) {
  return network.topology.find_link(name).value();
}

DecisionRecord sample_decision(std::uint64_t id) {
  DecisionRecord decision;
  decision.id = id;
  decision.time = kNow;
  decision.action = "install";
  decision.state = DecisionState::kApproved;
  decision.reason = "\"quoted\" and ümlaut";
  decision.forecaster = "ewma";
  decision.expected_utilization = 0.1 + 0.2;
  decision.lower_bound = 0.29;
  decision.utilization_before = 0.9;
  decision.moved_share = 0.25;
  decision.epoch = 7;
  decision.alarms = {"overload expected: link a-b at utilisation 1.2"};
  decision.effect = Effect{.time = kNow, .max_utilization = 0.31, .max_utilization_link = "a-b"};
  return decision;
}

PlanRecord sample_plan(const Topology& topology, std::uint64_t epoch) {
  return {.epoch = epoch,
          .time = kNow,
          .digest = "00000000deadbeef",
          .decision = epoch + 100,
          .expected_utilization = 0.5,
          .lower_bound = 0.4,
          .plan = base_plan(topology, 1)};
}

Result<DaemonConfig> config_of(const std::string& text) { return parse_config(text, "/etc/aiwan/aiwand.yaml"); }

}  // namespace

TEST_CASE("a configuration with every key is read as it stands", "[aiwand]") {
  const auto config = config_of(R"(
network: network.yaml
bus: tcp://0.0.0.0:5570
state: /var/lib/x
interval: 2 s
grace: 400 ms
mode: auto
max_moved_share: 0.2
utilization_target: 0.6
model: model
policies: policies.yaml
api: {socket: api.sock, listen: "127.0.0.1:8420"}
history: {raw: 1 d, minutes: 2 d, hours: 3 d}
segments_max: 6
log: {level: debug, format: json}
)");
  REQUIRE(config);
  CHECK(config->network == "/etc/aiwan/network.yaml");
  CHECK(config->bus == "tcp://0.0.0.0:5570");
  CHECK(config->state == "/var/lib/x");
  CHECK(config->interval == std::chrono::seconds{2});
  CHECK(config->grace == std::chrono::milliseconds{400});
  CHECK(config->mode == Mode::kAuto);
  CHECK(config->max_moved_share == 0.2);
  CHECK(config->utilization_target == 0.6);
  CHECK(config->model == "/etc/aiwan/model");
  CHECK(config->api.socket == "/etc/aiwan/api.sock");
  REQUIRE(config->api.listen);
  CHECK(config->api.listen->host == "127.0.0.1");
  CHECK(config->api.listen->port == 8420);
  CHECK(config->history.hours == std::chrono::hours{72});
  CHECK(config->segments_max == 6);
  CHECK(config->log.json);
}

TEST_CASE("a configuration of one key has the documented defaults", "[aiwand]") {
  const auto config = config_of("network: n.yaml\n");
  REQUIRE(config);
  CHECK(config->mode == Mode::kAdvise);
  CHECK(config->interval == std::chrono::seconds{1});
  CHECK(config->api.socket == "/run/aiwan/aiwand.sock");
  CHECK_FALSE(config->api.listen);
  CHECK_FALSE(config->model);
}

TEST_CASE("what is wrong in a configuration is told with file, line and key", "[aiwand]") {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"mode: auto\n", "/etc/aiwan/aiwand.yaml:1: network: is missing"},
           {"network: n\nmode: manual\n", "/etc/aiwan/aiwand.yaml:2: mode: "},
           {"network: n\ninterval: 1500 ms\n", "/etc/aiwan/aiwand.yaml:2: interval: must be whole seconds"},
           {"network: n\nmax_moved_share: 0\n", "/etc/aiwan/aiwand.yaml:2: max_moved_share: "},
           {"network: n\nturbo: yes\n", "/etc/aiwan/aiwand.yaml:2: unknown key \"turbo\""},
           {"network: n\napi: {listen: nowhere}\n", "/etc/aiwan/aiwand.yaml:2: api.listen: must be ADDRESS:PORT"},
           {"network: n\nlog: {format: xml}\n", "/etc/aiwan/aiwand.yaml:2: log.format: "}}) {
    const auto config = config_of(text);
    CAPTURE(text);
    REQUIRE_FALSE(config);
    CHECK_THAT(config.error().message, StartsWith(message));
  }
}

TEST_CASE("a configuration damaged anywhere is read or refused with its name, whatever the damage", "[aiwand]") {
  const std::string whole =
      "network: n\nbus: tcp://0.0.0.0:5570\ninterval: 2 s\nmode: auto\nmax_moved_share: 0.2\n"
      "api: {socket: api.sock, listen: \"[::1]:8420\"}\nhistory: {raw: 1 d}\nlog: {level: debug, format: json}\n";
  REQUIRE(config_of(whole));
  CHECK(config_of(whole)->api.listen->host == "::1");
  Rng rng{5};
  for (int i = 0; i < 3000; ++i) {
    std::string text = whole;
    for (std::uint64_t edits = 1 + rng.below(4); edits > 0; --edits) {
      const std::size_t at = rng.below(text.size());
      if (rng.below(3) == 0) {
        text.erase(at, 1 + rng.below(5));
      } else {
        constexpr std::string_view kTelling = ":{}[],\n \"-#0";
        text[at] = rng.below(2) == 0 ? static_cast<char>(rng.below(256)) : kTelling[rng.below(kTelling.size())];
      }
      if (text.empty()) text.assign(1, 'x');
    }
    const auto config = config_of(text);
    CAPTURE(i, text);
    if (!config) REQUIRE_THAT(config.error().message, StartsWith("/etc/aiwan/aiwand.yaml:"));
  }
}

TEST_CASE("programs go to nodes until they have them, and what is replayed or foreign counts for nothing", "[aiwand]") {
  const test::ScratchFolder folder;
  const auto network = square();
  auto bus = telemetry::DaemonBus::bind("ipc://" + (folder / "bus.sock").string()).value();
  Southbound southbound{network.topology, {true, true, false, false}};
  const auto program = [](std::uint64_t epoch, const std::string& digest) {
    return NodeProgram{.epoch = epoch,
                       .digest = digest,
                       .classes = {},
                       .egresses = {},
                       .prefixes = {},
                       .routes = {},
                       .adjacencies = {},
                       .demands = {}};
  };
  const auto ack = [](std::uint64_t epoch, const std::string& digest, bool accepted) {
    return ProgramAck{.node = {}, .epoch = epoch, .digest = digest, .accepted = accepted, .reason = {}};
  };
  southbound.install(bus, {program(5, "d5"), program(5, "d5"), {}, {}}, 1'000);
  CHECK(southbound.waiting() == std::vector<std::string>{"a", "b"});
  southbound.take(NodeId{0}, ack(4, "d4", true), 2'000);  // of the plan before
  southbound.take(NodeId{0}, ack(5, "dx", true), 2'000);  // of another plan
  CHECK(southbound.acknowledged().empty());
  CHECK_FALSE(southbound.take(NodeId{0}, ack(5, "d5", true), 3'000).complete_now);
  CHECK(southbound.take(NodeId{1}, ack(5, "d5", false), 3'000).refused);
  CHECK(southbound.take(NodeId{1}, ack(5, "d5", true), 9'000).complete_now);
  CHECK(southbound.round_time() == Duration{8'000});
  CHECK_FALSE(southbound.take(NodeId{1}, ack(5, "d5", true), 50'000).complete_now);  // replayed
  CHECK(southbound.round_time() == Duration{8'000});

  NodeEntry entry;
  entry.boot_id = 1;
  entry.epoch = 5;
  entry.digest = "d5";
  southbound.meet(bus, NodeId{0}, entry, 60'000);
  CHECK(southbound.waiting().empty());
  entry.boot_id = 2;
  entry.epoch = 0;
  entry.digest.clear();
  southbound.meet(bus, NodeId{0}, entry, 70'000);  // restarted
  CHECK(southbound.waiting() == std::vector<std::string>{"a"});
  CHECK_FALSE(southbound.must_renumber());
  entry.epoch = 9;
  entry.digest = "other";
  southbound.meet(bus, NodeId{0}, entry, 80'000);
  CHECK(southbound.must_renumber());
}

TEST_CASE("what is put into the state file is there when it is opened again", "[aiwand]") {
  const test::ScratchFolder folder;
  const Topology topology = square().topology;
  Settings settings{
      .mode = Mode::kAuto, .paused = true, .paused_until = kNow, .drains = {"a-b", "d"}, .policy_version = 2};
  settings.unconfirmed = Settings::Unconfirmed{.deadline = kNow, .previous_version = 1, .previous_epoch = 9};
  {
    auto store = StateStore::open(folder.path(), topology).value();
    CHECK_FALSE(store->loaded().settings);
    CHECK(
        store->put(PolicyVersion{.version = 1, .time = kNow, .name = "p.yaml", .text = "drain: []\n"}, settings).get());
    CHECK(store->put(settings).get());
    store->put(sample_decision(4), "{\"x\": 1}");
    auto changed = sample_decision(4);
    changed.state = DecisionState::kSuperseded;
    store->put(changed, std::nullopt);
    store->put(sample_plan(topology, 11));
    CHECK(store->explanation(4).get() == "{\"x\": 1}");
    CHECK_FALSE(store->explanation(5).get());
  }
  const auto store = StateStore::open(folder.path(), topology).value();
  const StoredState& stored = store->loaded();
  REQUIRE(stored.settings);
  CHECK(stored.settings->mode == Mode::kAuto);
  CHECK(stored.settings->paused);
  CHECK(stored.settings->paused_until == kNow);
  CHECK(stored.settings->drains == settings.drains);
  REQUIRE(stored.settings->unconfirmed);
  CHECK(stored.settings->unconfirmed->previous_epoch == 9);
  REQUIRE(stored.policies.size() == 1);
  CHECK(stored.policies[0].text == "drain: []\n");
  REQUIRE(stored.decisions.size() == 1);
  CHECK(stored.decisions[0].state == DecisionState::kSuperseded);
  CHECK(stored.last_decision_id == 4);
  REQUIRE(stored.plans.size() == 1);
  CHECK(stored.plans[0].plan == base_plan(topology, 1));
  CHECK(stored.last_epoch == 11);
}

TEST_CASE("a state file keeps the newest plans, and those of another network are passed over", "[aiwand]") {
  const test::ScratchFolder folder;
  const Topology topology = square().topology;
  {
    auto store = StateStore::open(folder.path(), topology).value();
    for (std::uint64_t epoch = 1; epoch <= StateStore::kPlansKept + 5; ++epoch)
      store->put(sample_plan(topology, epoch));
    store->flush();
    CHECK(store->failures().count == 0);
  }
  CHECK(StateStore::open(folder.path(), topology).value()->loaded().plans.size() == StateStore::kPlansKept);
  const auto other = io::parse_network(
      "nodes: [{name: x, locator: \"fc00:1::/64\"}, {name: y, locator: \"fc00:2::/64\"}]\n"
      "links: [{ends: [x, y], ports: [p, q], capacity: 1 Mbit/s}]\n",
      "other.yaml");
  REQUIRE(other);
  const auto reopened = StateStore::open(folder.path(), other->topology).value();
  CHECK(reopened->loaded().plans.empty());
  CHECK(reopened->loaded().last_epoch == StateStore::kPlansKept + 5);
}

TEST_CASE("a damaged state file is refused with its name", "[aiwand]") {
  const test::ScratchFolder folder;
  std::ofstream{folder / "state.db"} << std::string(5000, 'x');
  const auto store = StateStore::open(folder.path(), square().topology);
  REQUIRE_FALSE(store);
  CHECK_THAT(store.error().message, Contains("state.db: cannot be opened"));
}

TEST_CASE("decisions and paths come back from their JSON as they went", "[aiwand]") {
  const DecisionRecord decision = sample_decision(3);
  const auto back = decision_from_json(nlohmann::json::parse(to_json(decision).dump()));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(decision));
  const Topology topology = square().topology;
  const PathPlan plan = base_plan(topology, 2);
  const auto read = paths_from_json(topology, nlohmann::json::parse(paths_to_json(topology, plan).dump()));
  REQUIRE(read);
  CHECK(*read == plan);
  for (const char* bad : {"[]", "{}", "3", "null", "[1]", "[[0,\"a\",\"zz\",[]]]", "[[0,\"a\",\"b\",[[1,[\"no\"]]]]]",
                          "[[0,\"a\",\"b\",[[\"1\",[]]]]]"}) {
    CAPTURE(bad);
    const auto json = nlohmann::json::parse(bad);
    CHECK_FALSE(decision_from_json(json));
    const auto paths = paths_from_json(topology, json);
    if (paths) CHECK(paths->demand_count() == 0);
  }
}

TEST_CASE("a link is down while a port at either end is, and kept empty for planning alone", "[aiwand]") {
  const auto network = square();
  NetworkState state{network};
  CHECK(state.links_up() == 8);
  CHECK(state.take_ports(NodeId{1}, {{.name = "ba", .up = false}, {.name = "bc", .up = true}}));
  CHECK_FALSE(state.physical().link(link(network, "a-b")).up);
  CHECK_FALSE(state.physical().link(link(network, "b-a")).up);
  CHECK(state.links_up() == 6);
  CHECK_FALSE(state.take_ports(NodeId{0}, {{.name = "ab", .up = false}}));  // the same link from its other end
  CHECK_FALSE(state.take_ports(NodeId{1}, {{.name = "ba", .up = true}}));   // one end alone does not bring it back
  CHECK(state.take_ports(NodeId{0}, {{.name = "ab", .up = true}}));
  CHECK(state.links_up() == 8);
  CHECK(state.keep_empty({link(network, "b-c")}));
  CHECK_FALSE(state.keep_empty({link(network, "b-c")}));
  CHECK(state.physical().link(link(network, "b-c")).up);
  CHECK_FALSE(state.planning().link(link(network, "b-c")).up);
}

TEST_CASE("pairs that a drain would cut off are named, others not", "[aiwand]") {
  const auto network = square();
  const std::vector<bool> managed{true, true, true, false};
  const std::vector<LinkId> one{link(network, "a-b")};
  CHECK(pairs_cut(network.topology, network.topology.with_links_down(one), managed).empty());
  const std::vector<LinkId> two{link(network, "a-b"), link(network, "a-d")};
  const auto cut = pairs_cut(network.topology, network.topology.with_links_down(two), managed);
  CHECK(cut == std::vector<std::pair<NodeId, NodeId>>{{NodeId{0}, NodeId{1}}, {NodeId{0}, NodeId{2}}});
}

TEST_CASE("an alarm counts up while it lasts and begins anew when it was cleared", "[aiwand]") {
  AlarmList alarms;
  std::size_t begun = 0;
  alarms.on_new = [&begun](const Alarm&) { ++begun; };
  CHECK(alarms.raise({.kind = "k", .subject = "a", .text = "one"}, kNow));
  CHECK_FALSE(alarms.raise({.kind = "k", .subject = "a", .text = "two"}, kNow + std::chrono::seconds{2}));
  CHECK(alarms.raise({.kind = "k", .subject = "b", .text = "three"}, kNow));
  REQUIRE(alarms.all().size() == 2);
  CHECK(alarms.all()[0].count == 2);
  CHECK(alarms.all()[0].text == "two");
  CHECK(alarms.all()[0].since == kNow);
  alarms.clear_older("k", kNow + std::chrono::seconds{1});
  REQUIRE(alarms.size() == 1);
  CHECK(alarms.all()[0].subject == "a");
  CHECK(alarms.clear("k", "a"));
  CHECK_FALSE(alarms.clear("k", "a"));
  CHECK(begun == 2);
}

TEST_CASE("matrices for other classes keep all traffic", "[aiwand]") {
  TrafficMatrix matrix{3, 2};
  matrix.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::mbps(2));
  matrix.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::mbps(3));
  const TrafficMatrix one = with_class_count(matrix, 1);
  CHECK(one.at(NodeId{0}, NodeId{1}).mbps() == 5.0);
  const TrafficMatrix three = with_class_count(matrix, 3);
  CHECK(three.at(TrafficClass{1}, NodeId{0}, NodeId{1}).mbps() == 3.0);
  CHECK(three.total().bps() == matrix.total().bps());
}

TEST_CASE("a rehearsal tells what a cut and more traffic would do, and what local protection alone would", "[aiwand]") {
  const auto network = square();
  LiveCopy live{.physical = network.topology,
                .managed = {true, true, true, false},
                .kept_empty = {},
                .operator_drains = {},
                .policies = {},
                .in_force = base_plan(network.topology, 1),
                .outlook = {},
                .max_moved_share = 1.0,
                .now = kNow};
  TrafficMatrix matrix{4};
  matrix.set(NodeId{0}, NodeId{2}, BitRate::mbps(6));
  live.outlook = {.forecast = matrix, .scenarios = {matrix}};
  Rehearsal what;
  what.scale = 1.5;
  const auto grown = rehearse(live, what);
  CHECK(grown["before"]["max_utilization"].get<double>() == Approx(0.6));
  CHECK(grown["without_reaction"]["max_utilization"].get<double>() == Approx(0.9));
  CHECK(grown["max_utilization"].get<double>() == Approx(0.45).margin(0.02));
  what.down = network.links_named("a-b");
  const auto cut = rehearse(live, what);
  CHECK(cut["disconnected"].empty());
  CHECK(cut["without_reaction"]["disconnected"].size() == 1);
  CHECK(cut["max_utilization"].get<double>() == Approx(0.9));
}

TEST_CASE("a preview of pinned paths says what moves", "[aiwand]") {
  const auto network = square();
  TrafficMatrix matrix{4};
  matrix.set(NodeId{0}, NodeId{2}, BitRate::mbps(4));
  const LiveCopy live{.physical = network.topology,
                      .managed = {true, true, true, false},
                      .kept_empty = {},
                      .operator_drains = {},
                      .policies = {},
                      .in_force = base_plan(network.topology, 1),
                      .outlook = {.forecast = matrix, .scenarios = {matrix}},
                      .max_moved_share = 1.0,
                      .now = kNow};
  PolicySet same;
  same.utilization_target = 0.7;
  CHECK(preview(live, same)["changes"].empty());
  PolicySet pinned = same;
  pinned.pins = {
      {.from = NodeId{0}, .to = NodeId{2}, .cls = {}, .links = {link(network, "a-d"), link(network, "d-c")}}};
  const auto saved = preview(live, pinned);
  REQUIRE(saved["changes"].size() >= 1);
  CHECK(saved["changes"][0]["after"][0]["links"] == nlohmann::json::array({"a-d", "d-c"}));
  CHECK(saved["moved_share"].get<double>() == Approx(1.0));
}

TEST_CASE("a preview compares plans by the priorities that it would put in force", "[aiwand]") {
  const auto network = square();
  TrafficMatrix matrix{4, 2};
  matrix.set(TrafficClass{1}, NodeId{0}, NodeId{2}, BitRate::mbps(6));
  matrix.set(TrafficClass{0}, NodeId{3}, NodeId{2}, BitRate::mbps(6));
  PolicySet alike;
  alike.utilization_target = 0.0;
  alike.classes.push_back({.name = "voice", .dscps = {46}});
  const LiveCopy live{.physical = network.topology,
                      .managed = {true, true, true, false},
                      .kept_empty = {},
                      .operator_drains = {},
                      .policies = alike,
                      .in_force = base_plan(network.topology, 2),
                      .outlook = {.forecast = matrix, .scenarios = {matrix}},
                      .max_moved_share = 1.0,
                      .now = kNow};
  // Both ways into c are at 0.6, and no plan is below: as long as voice is traffic like any other.
  CHECK(preview(live, alike)["changes"].empty());
  PolicySet voice_first = alike;
  voice_first.classes[1].priority = 3;
  const auto changes = preview(live, voice_first)["changes"];
  const auto voice =
      std::find_if(changes.begin(), changes.end(), [](const auto& one) { return one["class"] == "voice"; });
  REQUIRE(voice != changes.end());
  CHECK((*voice)["from"] == "a");
  CHECK((*voice)["after"].size() == 2);
}

TEST_CASE("rehearsals run in turn, and too many are refused", "[aiwand]") {
  RehearsalThread rehearsals;
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::vector<std::future<nlohmann::json>> answers;
  std::vector<std::size_t> accepted;  // one more than the queue holds, whenever the thread takes its first one
  for (std::size_t i = 0; i < RehearsalThread::kQueueMax + 5; ++i) {
    auto answer = rehearsals.ask([open, i] {
      open.wait();
      return nlohmann::json(i);
    });
    if (!answer) continue;
    answers.push_back(*std::move(answer));
    accepted.push_back(i);
  }
  CHECK(answers.size() >= RehearsalThread::kQueueMax);
  CHECK(answers.size() <= RehearsalThread::kQueueMax + 1);
  gate.set_value();
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK(answers[i].get() == accepted[i]);
}

}  // namespace wan::controller
