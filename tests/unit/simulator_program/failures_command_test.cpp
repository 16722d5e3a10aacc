#include "simulator/program/failures_command.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/simulator_program/command_run.h"

namespace wan::simulator {
namespace {

/// A ring of four and one node that hangs on it; 1 Mbit/s between all neighbours of the ring and to the hanging node.
struct Files {
  test::ScratchFolder folder;
  std::string graph = (folder.path() / "net.graph").string();
  std::string demands = (folder.path() / "net.demands").string();
  std::string groups = (folder.path() / "groups.json").string();

  Files() {
    write(graph,
          "NODES 5\nlabel x y\nA 0 0\nB 0 0\nC 0 0\nD 0 0\nE 0 0\n\nEDGES 10\nlabel src dest weight bw delay\n"
          "e0 0 1 1 10000 1000\ne1 1 0 1 10000 1000\ne2 1 2 1 10000 1000\ne3 2 1 1 10000 1000\n"
          "e4 2 3 1 10000 1000\ne5 3 2 1 10000 1000\ne6 3 0 1 10000 1000\ne7 0 3 1 10000 1000\n"
          "e8 3 4 1 10000 1000\ne9 4 3 1 10000 1000\n");
    write(demands, "DEMANDS 5\nlabel src dest bw\nd0 0 1 1000\nd1 1 2 1000\nd2 2 3 1000\nd3 3 0 1000\nd4 0 4 1500\n");
    write(groups, R"({"duct": ["A<>B", "C>D"], "tail": ["D<>E"]})");
  }
  static void write(const std::string& file, const std::string& text) { std::ofstream{file} << text; }

  [[nodiscard]] test::Outcome run(std::vector<std::string> options) const {
    std::vector<std::string> arguments{"failures", "--topology", graph, "--demands", demands};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return test::run_command(
        [](CLI::App& app, int& code) {
          add_failures_command(app, code, [](const Topology&, const TrafficMatrix&) -> Result<double> { return 1.0; });
        },
        std::move(arguments));
  }
  [[nodiscard]] nlohmann::json json(std::vector<std::string> options) const {
    options.insert(options.end(), {"--json", "-"});
    const auto outcome = run(std::move(options));
    INFO(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    return nlohmann::json::parse(outcome.out);
  }
};

std::map<std::string, nlohmann::json> by_name(const nlohmann::json& document) {
  std::map<std::string, nlohmann::json> found;
  for (const auto& failure : document["failures"]) found[failure["failure"].get<std::string>()] = failure;
  return found;
}

}  // namespace

TEST_CASE("a cut that disconnects names the demands and what they sent", "[failures]") {
  const Files files;
  const auto document = files.json({"--exact"});
  const auto failures = by_name(document);
  REQUIRE(failures.size() == 5);
  const auto& tail = failures.at("D<>E");
  CHECK(tail["lost"] == nlohmann::json::parse(R"([{"from": "A", "to": "E", "mbps": 1.5}])"));
  CHECK(tail["lost_mbps"] == 1.5);
  CHECK(tail["links"] == nlohmann::json::parse(R"(["D>E", "E>D"])"));
  CHECK(document["failures"][0]["failure"] == "D<>E");  // the worst comes first
  CHECK(document["summary"]["link"]["disconnecting"] == 1);
  CHECK(files.run({}).out.find("ALARM: cut off (Mbit/s): A>E 1.5") != std::string::npos);
}

TEST_CASE("after a cut of the ring everything goes the other way round", "[failures]") {
  const Files files;
  const auto cut = by_name(files.json({"--exact"})).at("A<>B");
  // A>B goes A>D>C>B; A>D carries A>E as well, D>C nothing else.
  CHECK(cut["optimum"].get<double>() == Approx(0.25));
  for (const char* answer : {"protection", "rescaling"}) {
    CHECK(cut[answer]["mlu"].get<double>() == Approx(0.25));
    CHECK(cut[answer]["ratio"].get<double>() == Approx(1.0));
  }
  CHECK(cut["protection"]["demands"].get<int>() >= 1);
  CHECK(cut["lost"].empty());
}

TEST_CASE("nodes and groups fail too when asked", "[failures]") {
  const Files files;
  const auto document = files.json({"--node", "--srlg-file", files.groups, "--no-link"});
  CHECK(document["summary"].size() == 2);
  CHECK(document["summary"]["srlg"]["failures"] == 2);
  CHECK(document["summary"]["node"]["failures"] == 5);
  const auto failures = by_name(document);
  CHECK(failures.at("duct")["links"] == nlohmann::json::parse(R"(["A>B", "B>A", "C>D", "D>C"])"));
  CHECK(failures.at("duct")["lost"].size() == 2);  // A>B, C>D: the ring is in two halves
  CHECK(failures.at("D")["lost"].size() == 3);     // C>D, D>A, A>E
}

TEST_CASE("what cannot be failed is told in one line", "[failures]") {
  const Files files;
  const auto refused = [&](std::vector<std::string> options, const std::string& words) {
    const auto outcome = files.run(std::move(options));
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(test::is_one_line(outcome.err));
    CHECK(outcome.err.find(words) != std::string::npos);
  };
  refused({"--srlg"}, "names no shared-risk groups; give them with --srlg-file");
  refused({"--no-link"}, "nothing here can fail");
  Files::write(files.groups, R"({"duct": ["A<>C"]})");
  refused({"--srlg-file", files.groups}, "no link \"A<>C\"; write A>B for one direction");
  Files::write(files.groups, "[1]");
  refused({"--srlg-file", files.groups}, "wanted a JSON object");
  refused({"--srlg-file", "absent.json"}, "absent.json");
  refused({"--json", (files.folder.path() / "no" / "where.json").string()}, "cannot write JSON");
}

}  // namespace wan::simulator
