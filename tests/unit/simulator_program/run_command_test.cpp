#include "simulator/program/run_command.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "models/model_card.h"
#include "simulator/program/generate_command.h"
#include "simulator/workload.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/simulator_program/command_run.h"

namespace wan::simulator {
namespace {

using test::is_one_line;
using test::run_command;

constexpr const char* kScenario =
    "name: hours\ntopology: {builtin: backbone12}\n"
    "traffic: {generator: {days: 3, seed: 5, interval_s: 3600}}\nscore: {from: day 3, to: day 3 12:00}\n"
    "events: [{at: day 3 06:00, fail: Paris - Madrid}]\n";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A folder with a scenario in it.
struct Place {
  test::ScratchFolder folder;
  std::string scenario = folder / "hours.yaml", out = folder / "out";
  explicit Place(const std::string& text = kScenario) { std::ofstream{scenario} << text; }
};

TEST_CASE("run prints a table, writes the report and the results, and says so in JSON", "[run]") {
  const Place place;
  const auto outcome = run_command(add_run_command, {"run", place.scenario, "--out", place.out, "--json", "-"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto json = nlohmann::json::parse(outcome.out);  // nothing else on standard output
  CHECK(json["scenario"] == "hours");
  CHECK(json["seed"] == 5);
  CHECK(json["forecaster"] == "ewma");
  CHECK(json["score_from"] == 48);
  CHECK(json["score_to"] == 60);
  CHECK(json["topology_digest"] == builtin_backbone().digest());

  const std::filesystem::path folder{place.out};
  SQLite::Database database{(folder / "results.sqlite").string(), SQLite::OPEN_READONLY};
  SQLite::Statement summary{database, "SELECT * FROM summary JOIN controller ON id = controller"};
  int rows = 0;
  while (summary.executeStep()) {
    const auto& printed = json["summary"][summary.getColumn("name").getString()];
    for (const auto& [key, value] : printed.items()) {
      INFO(key);
      CHECK(value.get<double>() == summary.getColumn(key.c_str()).getDouble());
    }
    CHECK(printed.size() == 14);
    const std::string table_row = std::string{"\n"}.append(summary.getColumn("name").getString());
    CHECK(outcome.err.find(table_row) != std::string::npos);
    ++rows;
  }
  CHECK(rows == 5);

  CHECK(text_of(folder / "report.html").find("<title>hours – AI WAN</title>") != std::string::npos);
  CHECK(outcome.err.find("report.html") != std::string::npos);
  CHECK(outcome.err.find("results.sqlite") != std::string::npos);
  const auto ewma = outcome.err.find("EWMA");
  CHECK(ewma != std::string::npos);
  CHECK(outcome.err.find("EWMA", ewma + 1) == std::string::npos);  // said once
}

TEST_CASE("a seed on the command line replaces the generator's seed", "[run]") {
  const Place place;
  const auto json_of = [&](const std::string& seed) {
    const auto outcome =
        run_command(add_run_command, {"run", place.scenario, "--out", place.out, "--json", "-", "--seed", seed});
    REQUIRE(outcome.exit_code == 0);
    return nlohmann::json::parse(outcome.out);
  };
  const auto five = json_of("5"), six = json_of("6");
  CHECK(six["seed"] == 6);
  CHECK(five["traffic_digest"] != six["traffic_digest"]);
  CHECK(five["summary"]["ospf"]["mlu_max"] != six["summary"]["ospf"]["mlu_max"]);
}

TEST_CASE("the report is the same after each run of a seed but for the time decisions took", "[run]") {
  const Place place;
  const auto page = [&] {
    REQUIRE(run_command(add_run_command, {"run", place.scenario, "--out", place.out}).exit_code == 0);
    const std::string text = text_of(std::filesystem::path{place.out} / "report.html");
    return text.substr(text.find("id=\"data\""));  // the table of controllers, with its milliseconds, stands before
  };
  CHECK(page() == page());
}

TEST_CASE("run answers bad input with one line and exit code 1", "[run]") {
  const Place place, measured{"topology: {builtin: backbone12}\ntraffic: {file: absent.csv}\nscore: {from: 9}\n"};
  const Place typo{"topology: {builtin: backbone12}\ntraffic: {generator: {days: 3}}\nscore: {form: 9}\n"};
  const auto check = [&](std::vector<std::string> arguments, const std::string& says) {
    arguments.insert(arguments.begin(), "run");
    const auto outcome = run_command(add_run_command, arguments);
    INFO(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK(is_one_line(outcome.err));
    CHECK(outcome.err.starts_with("aiwan-sim run: "));
    CHECK(outcome.err.find(says) != std::string::npos);
  };
  check({typo.scenario, "--out", place.out}, "hours.yaml:3: score: unknown key \"form\"");
  check({place.folder / "no.yaml", "--out", place.out}, "no.yaml");
  check({measured.scenario, "--out", place.out}, "absent.csv");
  check({measured.scenario, "--out", place.out, "--seed", "2"}, "--seed");
  check({place.scenario, "--out", place.scenario}, "cannot be made");
  check({place.scenario, "--out", place.out, "--model", place.folder / "no-model"}, "no-model");
  check({place.scenario, "--out", place.out, "--json", "/dev/full"}, "/dev/full");
}

TEST_CASE("a model that was trained on scored time is refused", "[run]") {
  const Place place;
  const auto run_with = [&](std::chrono::hours trained) {
    models::ModelCard card;
    card.node_count = 12;
    card.link_count = 40;
    card.topology_digest = builtin_backbone().digest();
    card.interval = std::chrono::seconds{3600};
    card.history_intervals = 12;
    card.features = 1;
    card.trained_from = GeneratorOptions{}.start;
    card.trained_until = card.trained_from + trained;
    card.trained_rows = static_cast<std::size_t>(trained.count());
    card.hyper_parameters = {.lag_models = 1,
                             .epochs = 1,
                             .rows_per_batch = 1,
                             .embedding = 1,
                             .hidden = 1,
                             .members = 1,
                             .learning_rate = 0.01};
    card.validation.rows = 1;
    card.data_digest = card.weights_digest = "0123456789abcdef";
    const std::filesystem::path folder = place.folder / "model";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "card.json"} << models::format_model_card(card);
    return run_command(add_run_command, {"run", place.scenario, "--out", place.out, "--model", folder.string()});
  };
  const auto overlapping = run_with(std::chrono::hours{49});  // the first scored hour is the 49th
  CHECK(overlapping.exit_code == 1);
  CHECK(is_one_line(overlapping.err));
  INFO(overlapping.err);
  CHECK(overlapping.err.find("trained") != std::string::npos);
  CHECK(overlapping.err.find("row 48") != std::string::npos);
  const auto before = run_with(std::chrono::hours{48});  // no overlap: what is missing now are the weights
  INFO(before.err);
  CHECK(before.exit_code == 1);
  CHECK(before.err.find("row 48") == std::string::npos);
}

TEST_CASE("the example with files of one's own runs on generated ones", "[run]") {
  const test::ScratchFolder folder;
  std::filesystem::copy_file(std::string{WAN_SCENARIOS} + "/own-network.yaml", folder / "own.yaml");
  const auto generated =
      run_command(add_generate_command, {"generate", "--days", "3", "--topology-out", folder / "my-network.graph",
                                         "--traffic-out", folder / "my-traffic.csv"});
  REQUIRE(generated.exit_code == 0);
  const auto outcome =
      run_command(add_run_command, {"run", folder / "own.yaml", "--out", folder / "out", "--json", "-"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json["seed"].is_null());  // measured, as far as the run knows
  CHECK(json["topology_digest"] == builtin_backbone().digest());
  CHECK(json["summary"].size() == 3);
}

TEST_CASE("run takes the built-in scenario when none is named", "[run]") {
  const test::ScratchFolder folder;
  const auto bad_model = run_command(add_run_command, {"run", "--out", folder / "out", "--model", folder / "none"});
  CHECK(bad_model.exit_code == 1);  // the scenario was read and its traffic made; only the model is not there
  CHECK(bad_model.err.find("none") != std::string::npos);
}

}  // namespace
}  // namespace wan::simulator
