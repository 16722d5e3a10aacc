#include "core/io/plan_file.h"

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "core/random.h"
#include "core/time.h"
#include "tests/unit/core/sample_plan.h"
#include "tests/unit/core/scratch_folder.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

std::string edited(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) FAIL("the sample does not hold " << what);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a plan that is written is read back to the last bit", "[io][plan]") {
  const ScratchFolder folder;
  const Topology topology = diamond();
  Rng rng{23, "plan"};
  for (int round = 0; round < 50; ++round) {
    PathPlanBuilder builder;
    builder.begin_demand(demand(0, 1));
    builder.add_path(1.0, link_ids({0}));
    builder.begin_demand(demand(0, 3));
    builder.add_path(rng.uniform(), link_ids({0, 1}));
    builder.add_path(rng.uniform(), link_ids({2, 3}));
    builder.begin_demand(demand(2, 3, 1));
    builder.add_path(1.0, link_ids({3}));
    PlanFile plan;
    plan.topology_digest = topology.digest();
    plan.plan = std::move(builder).build();
    plan.certificate = {.utilization = rng.uniform(), .lower_bound = rng.uniform() * 1e-9, .duals = {}};
    for (int l = 0; l < 4; ++l) plan.certificate.duals.push_back(rng.exponential() * 1e-11);
    plan.unrouted = {demand(3, 0), demand(3, 1, 2)};
    if (rng.below(2) == 0) plan.limits.paths_max = 1 + rng.below(9);
    if (rng.below(2) == 0) {
      plan.limits.sid_depth = 1 + rng.below(9);
      for (std::size_t path = 0; path < plan.plan.path_count(); ++path) {
        std::vector<PathSegment> list{PathSegment::to(NodeId{rng.below(4)})};
        for (std::size_t more = rng.below(3); more > 0; --more)
          list.push_back(PathSegment::across(LinkId{rng.below(4)}));
        plan.segments.add(list);
      }
    }
    REQUIRE(write_plan(folder / "plan.json", topology, plan));
    const auto back = read_plan(folder / "plan.json", topology);
    REQUIRE(back);
    REQUIRE(*back == plan);
  }
}

TEST_CASE("an empty plan is a plan", "[io][plan]") {
  const ScratchFolder folder;
  REQUIRE(write_plan(folder / "plan.json", diamond(), {}));
  CHECK(read_plan(folder / "plan.json", diamond()) == PlanFile{});
}

TEST_CASE("a plan's keys may stand in any order, and others may stand beside them", "[io][plan]") {
  const auto plan = parse_plan(edited(sample_plan(), "{", R"({"comment": {"by": ["me", [1, {}]]},)"), "p", diamond());
  if (!plan) FAIL(plan.error().message);
  CHECK(plan->plan.check(diamond()).has_value());
  CHECK(plan->plan.path(1, 1).fraction == 0.75);
}

TEST_CASE("a plan is refused where it does not hold what it must, with line and demand", "[io][plan]") {
  struct Case {
    std::string_view what;
    std::string_view by;
    std::string_view message;
  };
  const std::vector<Case> cases{
      {"aiwan-plan/1", "aiwan-plan/2", "p:1: format \"aiwan-plan/2\" is not \"aiwan-plan/1\""},
      {"\"format\":\"aiwan-plan/1\",", "", "p:13: \"format\" is missing"},
      {"\"A\",", "\"Z\",", "p:3: the plan is for another network: node 0 differs"},
      {"\"A\",", "", "p:3: the plan is for another network: node 0 differs"},
      {",\"D\"]", "]", "p:3: the plan is for another network: it has 3 nodes, not 4"},
      {",\"D\"]", ",\"D\",\"E\"]", "p:3: the plan is for another network: node 4 differs"},
      {"\"from\":2,\"to\":3,\"name\"", "\"from\":2,\"to\":0,\"name\"",
       "p:4: the plan is for another network: link 3 differs"},
      {"\"utilization\":0.5,", "", "p:5: \"utilization\" is missing"},
      {"0.5", "1e400", "p:5: malformed JSON near \"{\"utilization\":1e400\": number overflow parsing '1e400'"},
      {"0.5", "\"0.5\"", "p:5: a value that is not a number"},
      {"0.5", "null", "p:5: a value that is not a number"},
      {"[1,2,3,4]", "[1,2,3]", "p:5: 3 duals for 4 links"},
      {"[1,2,3,4]", "[1,2,3,4,5]", "p:5: more duals than links"},
      {"[0,1]", "[0,4]", "p:9: a link must be a whole number below 4"},
      {"[0,1]", "[0,-1]", "p:9: a link must be a whole number below 4"},
      {"[0,1]", "[0,1.5]", "p:9: a link must be a whole number below 4"},
      {"[0,1]", "[0,4294967296]", "p:9: a link must be a whole number below 4"},
      {"[0,1]", "[]", "p:9: a path without links"},
      {"[0,1]", "[2,3]", "p:10: demand A > D of class 0: the same path appears twice"},
      {"\"fraction\":0.25", "\"fraction\":0.3", "p:10: demand A > D of class 0: fractions sum to 1.05, not to 1"},
      {"\"fraction\":0.25", "\"fraction\":0.250000002",
       "p:10: demand A > D of class 0: fractions sum to 1.000000002, not to 1"},
      {"\"fraction\":0.25", "\"fraction\":0", "p:9: a path's fraction must be above 0 and at most 1"},
      {"\"fraction\":0.25", "\"fraction\":-0.25", "p:9: a path's fraction must be above 0 and at most 1"},
      {"\"fraction\":0.25", "\"fraction\":\"0.25\"", "p:9: a value that is not a number"},
      {"\"fraction\":0.25,", "", "p:9: \"fraction\" is missing"},
      {"\"from\":0,\"to\":3,\"paths\"", "\"from\":0,\"to\":0,\"paths\"",
       "p:10: demand A > A of class 0: source and destination are the same"},
      {"\"from\":0,\"to\":3,\"paths\"", "\"from\":0,\"to\":1,\"paths\"",
       "p:10: demand A > B of class 0: demands must stand in increasing order (class, from, to)"},
      {"\"from\":0,\"to\":3,\"paths\"", "\"from\":9,\"to\":3,\"paths\"", "p:8: a node must be a whole number below 4"},
      {"\"from\":0,\"to\":3,\"paths\"", "\"to\":3,\"paths\"", "p:10: \"from\" is missing"},
      {"\"class\":0", "\"class\":256", "p:7: a traffic class must be a whole number below 256"},
      {"[{\"fraction\":1,\"links\":[0]}]", "[]", "p:7: demand A > B of class 0: no path"},
      {"[{\"fraction\":1,\"links\":[0]}]", "7", "p:7: \"paths\" must be an array"},
      {"[{\"fraction\":1,\"links\":[0]}]", "{}", "p:7: an object where none belongs"},
      {"[{\"fraction\":1,\"links\":[0]}]", "[[]]", "p:7: an array where none belongs"},
      {"\"unrouted\":[{\"class\":0,\"from\":3,\"to\":0}]", "\"unrouted\":[{\"class\":0,\"from\":3,\"to\":4}]",
       "p:12: a node must be a whole number below 4"},
      {"\"unrouted\":[{\"class\":0,\"from\":3,\"to\":0}]", "\"unrouted\":[{\"from\":3,\"to\":0}]",
       "p:12: \"class\" is missing"},
      {",\n\"unrouted\":[{\"class\":0,\"from\":3,\"to\":0}]", "", "p:12: \"unrouted\" is missing"},
      {"\"topology\"", "\"format\"", "p:2: key \"format\" appears twice"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.what << " -> " << wrong.by);
    const auto plan = parse_plan(edited(sample_plan(), wrong.what, wrong.by), "p", diamond());
    REQUIRE_FALSE(plan);
    CHECK(plan.error().code == ErrorCode::kBadInput);
    CHECK(plan.error().message == wrong.message);
  }
}

TEST_CASE("limits and segment lists are refused where they cannot be", "[io][plan]") {
  const std::string paths = R"([{"fraction":0.25,"links":[0,1],"segments":["A1","N3"]},)"
                            R"({"fraction":0.75,"links":[2,3],"segments":["N3"]}]})";
  const std::string text =
      R"({"format":"aiwan-plan/1","topology":"t","nodes":["A","B","C","D"],)"
      R"("links":[{"from":0,"to":1,"name":"0"},{"from":1,"to":3,"name":"1"},{"from":0,"to":2,"name":"2"},)"
      R"({"from":2,"to":3,"name":"3"}],"certificate":{"utilization":0.5,"lower_bound":0.4,"duals":[1,2,3,4]},)"
      R"("limits":{"paths_max":2,"sid_depth":2},"unrouted":[],"demands":[{"class":0,"from":0,"to":3,"paths":)" +
      paths + "]}";
  const auto plan = parse_plan(text, "p", diamond());
  if (!plan) FAIL(plan.error().message);
  CHECK(plan->limits == PlanLimits{.paths_max = 2, .sid_depth = 2});
  REQUIRE(plan->segments.size() == 2);
  CHECK(plan->segments.list(0)[0] == PathSegment::across(LinkId{1}));
  CHECK(plan->segments.list(0)[1] == PathSegment::to(NodeId{3}));

  const std::string bad_segment =
      "p:1: a segment must be \"N\" and a node's number below 4, or \"A\" and a link's below 4";
  const std::string bad_limit = "p:1: \"sid_depth\" must be a whole number from 1 to 100000";
  for (const auto& [what, by, message] : std::vector<std::array<std::string, 3>>{
           {"\"A1\"", "\"A4\"", bad_segment},
           {"\"A1\"", "\"N4\"", bad_segment},
           {"\"A1\"", "\"B1\"", bad_segment},
           {"\"A1\"", "\"A\"", bad_segment},
           {"\"A1\"", "\"\"", bad_segment},
           {"\"A1\"", "\"A-1\"", bad_segment},
           {"\"A1\"", "\"A1x\"", bad_segment},
           {"\"A1\"", "\"A18446744073709551617\"", bad_segment},
           {"\"A1\"", "1", bad_segment},
           {"\"A1\"", "[]", "p:1: an array where none belongs"},
           {R"(["A1","N3"])", "[]", "p:1: some paths have segments and some have none"},
           {R"(,"segments":["A1","N3"])", "", "p:1: some paths have segments and some have none"},
           {R"({"fraction":0.75,"links":[2,3],"segments":["N3"]})", R"({"fraction":0.75,"links":[2,3]})",
            "p:1: some paths have segments and some have none"},
           {R"("segments":["A1","N3"])", R"("segments":3)", "p:1: a value where an object or array belongs"},
           {R"("sid_depth":2)", R"("sid_depth":0)", bad_limit},
           {R"("sid_depth":2)", R"("sid_depth":-1)", bad_limit},
           {R"("sid_depth":2)", R"("sid_depth":1.5)", bad_limit},
           {R"("sid_depth":2)", R"("sid_depth":"2")", bad_limit},
           {R"("sid_depth":2)", R"("sid_depth":100001)", bad_limit}}) {
    INFO(what << " -> " << by);
    const auto refused = parse_plan(edited(text, what, by), "p", diamond());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == message);
  }
}

TEST_CASE("a limit of zero is not written", "[io][plan]") {
  const ScratchFolder folder;
  PlanFile plan;
  plan.limits.paths_max = 0;
  REQUIRE_FALSE(write_plan(folder / "plan.json", diamond(), plan));
  CHECK_FALSE(std::filesystem::exists(folder / "plan.json"));
}

TEST_CASE("a plan within 1e-9 of a whole is taken as it stands", "[io][plan]") {
  const auto plan = parse_plan(edited(sample_plan(), "\"fraction\":0.25", "\"fraction\":0.2500000005"), "p", diamond());
  REQUIRE(plan);
  CHECK(plan->plan.path(1, 0).fraction == 0.2500000005);
  CHECK(plan->plan.path(1, 1).fraction == 0.75);
}

TEST_CASE("a certificate that is not finite is not written", "[io][plan]") {
  const ScratchFolder folder;
  PlanFile plan;
  plan.certificate.utilization = std::numeric_limits<double>::infinity();
  const auto written = write_plan(folder / "plan.json", diamond(), plan);
  REQUIRE_FALSE(written);
  CHECK_FALSE(std::filesystem::exists(folder / "plan.json"));
}

TEST_CASE("a plan of 40,000 demands with five paths each is written and read within seconds", "[io][plan]") {
  // 201 nodes in a ring of five parallel links a hop; every demand takes five paths of up to 30 hops.
  constexpr std::size_t kNodes = 201;
  constexpr std::size_t kCopies = 5;
  std::vector<Node> nodes;
  std::vector<Link> links;
  for (std::size_t n = 0; n < kNodes; ++n) {
    nodes.push_back({.name = "node" + std::to_string(n), .location = {}});
    for (std::size_t copy = 0; copy < kCopies; ++copy) {
      Link link;
      link.name = std::to_string(links.size());
      link.from = NodeId{n};
      link.to = NodeId{(n + 1) % kNodes};
      link.capacity = BitRate::gbps(1);
      links.push_back(link);
    }
  }
  const Topology topology = Topology::make(std::move(nodes), std::move(links)).value();
  auto builder = PathPlanBuilder::keeping_fractions();
  std::vector<LinkId> path;
  for (std::size_t from = 0; from < kNodes; ++from) {
    for (std::size_t to = 0; to < kNodes; ++to) {
      if (from == to) continue;
      builder.begin_demand(demand(from, to));
      const std::size_t hops = 1 + (from + to) % 30;
      for (std::size_t copy = 0; copy < kCopies; ++copy) {
        path.clear();
        for (std::size_t h = 0; h < hops; ++h) path.emplace_back((from + h) % kNodes * kCopies + copy);
        builder.add_path(0.2, path);
      }
    }
  }
  const PlanFile plan{
      .topology_digest = topology.digest(), .plan = std::move(builder).build(), .certificate = {}, .unrouted = {}};
  REQUIRE(plan.plan.path_count() == 201'000);
  const ScratchFolder folder;
  const SteadyClock steady;
  const Duration before = steady.now();
  REQUIRE(write_plan(folder / "plan.json", topology, plan));
  const Duration written = steady.now();
  const auto back = read_plan(folder / "plan.json", topology);
  const Duration read = steady.now();
  REQUIRE(back);
  CHECK(*back == plan);
  INFO(std::filesystem::file_size(folder / "plan.json") / 1'000'000
       << " MB, written in " << to_seconds(written - before) << " s, read in " << to_seconds(read - written) << " s");
  CHECK(to_seconds(read - before) < 20.0);  // generous: sanitizers, a busy machine
}
