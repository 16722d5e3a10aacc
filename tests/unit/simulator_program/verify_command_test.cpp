#include "simulator/program/verify_command.h"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "tests/support/captured_stream.h"

namespace wan::simulator {
namespace {

using test::Captured;
using test::Outcome;

/// A folder with a network of two nodes, a demand and a plan for it; removed at the end.
class Files {
 public:
  explicit Files(const std::string& name)
      : folder_{std::filesystem::temp_directory_path() / ("verify_command_" + name + std::to_string(::getpid()))} {
    std::filesystem::create_directories(folder_);
    write("net.graph",
          "NODES 2\nlabel x y\nA 0 0\nB 1 1\n\nEDGES 2\nlabel src dest weight bw delay\n"
          "e0 0 1 1 1000 10\ne1 1 0 1 1000 10\n");
    write("net.demands", "DEMANDS 1\nlabel src dest bw\nd0 0 1 500\n");
    const Topology topology = io::read_topology(path("net.graph")).value().topology;
    PathPlanBuilder builder;
    builder.begin_demand({TrafficClass{0}, NodeId{0}, NodeId{1}});
    builder.add_path(1.0, std::vector{LinkId{0}});
    io::PlanFile good;
    good.topology_digest = topology.digest();
    good.plan = std::move(builder).build();
    good.certificate.utilization = good.certificate.lower_bound = 0.5;
    good.certificate.duals.assign({1.0, 0.0});
    io::PlanFile bad = good;
    bad.certificate.utilization = 0.4;
    REQUIRE(io::write_plan(path("good.json"), topology, good));
    REQUIRE(io::write_plan(path("bad.json"), topology, bad));
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{path(name)};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream{path(name)} << text; }

  [[nodiscard]] Outcome verify(const std::string& plan, std::vector<std::string> more = {}) const {
    Outcome outcome;
    CLI::App app{"test"};
    add_verify_command(app, outcome.exit_code, [](const Topology&, const TrafficMatrix&) -> Result<double> {
      return fail(ErrorCode::kInternal, "no planner here");
    });
    std::vector<std::string> arguments{"verify", "--topology", path("net.graph"), "--demands", path("net.demands"),
                                       "--plan", path(plan)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    const Captured out{std::cout}, err{std::cerr};
    app.parse(arguments);
    outcome.out = out.text();
    outcome.err = err.text();
    return outcome;
  }

 private:
  std::filesystem::path folder_;
};

bool is_one_line(const std::string& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

TEST_CASE("verify tells people that a plan holds", "[verify]") {
  const Files files{"good"};
  const Outcome outcome = files.verify("good.json");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out.find("verified: largest utilization 0.5, no plan can be below 0.5 (gap 0 %)") != std::string::npos);
  CHECK(outcome.err.empty());
}

TEST_CASE("verify with --json - gives standard output to JSON alone", "[verify]") {
  const Files files{"json"};
  const Outcome outcome = files.verify("good.json", {"--json", "-"});
  CHECK(outcome.exit_code == 0);
  const auto verdict = nlohmann::json::parse(outcome.out);
  CHECK(verdict["verified"] == true);
  CHECK(verdict["utilization"] == 0.5);
  CHECK(verdict["paths"] == 1);
  CHECK(outcome.err.find("verified") != std::string::npos);
}

TEST_CASE("verify refuses a false claim with one line and writes the verdict", "[verify]") {
  const Files files{"refused"};
  const Outcome outcome = files.verify("bad.json", {"--json", files.path("verdict.json")});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK(is_one_line(outcome.err));
  CHECK(outcome.err.find("claims utilization 0.4, its paths give 0.5") != std::string::npos);
  const auto verdict = nlohmann::json::parse(files.read("verdict.json"));
  CHECK(verdict["verified"] == false);
  CHECK(verdict["reason"].get<std::string>().starts_with("plan refused: "));
}

TEST_CASE("verify answers bad input and an unwritable verdict with one line", "[verify]") {
  const Files files{"broken"};
  files.write("broken.json", "{\"format\":");
  for (const char* plan : {"broken.json", "absent.json"}) {
    const Outcome outcome = files.verify(plan);
    CHECK(outcome.exit_code == 1);
    CHECK(is_one_line(outcome.err));
  }
  const Outcome full = files.verify("good.json", {"--json", "/dev/full"});
  CHECK(full.exit_code == 1);
  CHECK(is_one_line(full.err));
  CHECK(full.err.find("/dev/full") != std::string::npos);
}

TEST_CASE("verify refuses a plan that has more paths or segments than it is asked for", "[verify]") {
  const Files files{"wishes"};
  CHECK(files.verify("good.json", {"--paths", "1"}).exit_code == 0);
  const Outcome without = files.verify("good.json", {"--sid-depth", "1"});
  CHECK(without.exit_code == 1);
  CHECK(without.err == "aiwan-sim verify: plan refused: it has no segment lists; make them with solve --sid-depth\n");
}

TEST_CASE("verify without its required options is wrong usage", "[verify]") {
  int exit_code = 0;
  CLI::App app{"test"};
  add_verify_command(app, exit_code, {});
  CHECK_THROWS_AS(app.parse("verify --plan x.json", false), CLI::RequiredError);
}

}  // namespace
}  // namespace wan::simulator
