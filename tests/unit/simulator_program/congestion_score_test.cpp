#include "simulator/program/congestion_score.h"

#include <catch2/catch.hpp>
#include <vector>

#include "core/random.h"
#include "simulator/program/risk_argument.h"
#include "tests/unit/core/small_networks.h"

namespace wan::simulator {

TEST_CASE("the area under the ROC curve counts pairs", "[congestion]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "roc"};
    std::vector<double> score;
    std::vector<char> happened;
    for (std::size_t i = 0; i < 40; ++i) {
      score.push_back(static_cast<double>(rng.below(12)));  // with ties
      happened.push_back(rng.uniform() < 0.3 ? 1 : 0);
    }
    happened[0] = 1;
    happened[1] = 0;
    double won = 0.0, pairs = 0.0;
    for (std::size_t i = 0; i < score.size(); ++i) {
      for (std::size_t j = 0; j < score.size(); ++j) {
        if (happened[i] == 0 || happened[j] != 0) continue;
        pairs += 1.0;
        won += score[i] > score[j] ? 1.0 : (score[i] == score[j] ? 0.5 : 0.0);
      }
    }
    CHECK(area_under_roc(score, happened) == Approx(won / pairs).epsilon(1e-12));
  }
  CHECK(area_under_roc({}, {}) == 0.5);
}

TEST_CASE("the book scores what was foretold against what the plan would have carried", "[congestion]") {
  const Topology topology = test::network(2, {{0, 1, 1.0, 1.0}});  // 1 Gbit/s
  PathPlanBuilder builder;
  builder.begin_demand(test::demand(0, 1));
  builder.add_path(1.0, test::link_ids({0}));
  const PathPlan plan = std::move(builder).build();
  std::vector<TrafficMatrix> rows;
  for (const double gbps : {0.1, 0.2, 0.9, 0.1, 0.1, 0.8, 0.1}) {
    rows.emplace_back(2).set(NodeId{0}, NodeId{1}, BitRate::gbps(gbps));
  }
  CongestionBook book{rows, 2, {.horizon = 2, .threshold = 0.5}};
  // Rows 2 to 6: an event within two rows at 2 (0.9), 4 (0.8 comes), 5 (0.8); not at 3; 6 ends too late.
  for (std::size_t row = 2; row < rows.size(); ++row) {
    const auto foretold = book.enter(topology, plan, row, [&](std::span<const double> threshold) {
      CHECK(threshold[0] == 0.5);
      return std::vector<double>{row == 3 ? 0.25 : 0.75};
    });
    CHECK(foretold.size() == 1);
  }
  const CongestionScore score = book.score();
  CHECK(score.cases == 4);
  CHECK(score.events == 3);
  CHECK(score.auc == 1.0);
  CHECK(score.brier == Approx(0.0625));
  CHECK(score.brier_last_value == Approx(1.0));  // the row before each was on the other side of the threshold
  CongestionBook usual{rows, 5, {.horizon = 1, .threshold = {}}};
  (void)usual.enter(topology, plan, 5, [&](std::span<const double> threshold) {
    CHECK(threshold[0] == Approx(0.9));  // nearest rank of five
    return std::vector<double>{0.0};
  });
}

TEST_CASE("a risk is named expected or cvar with a part", "[congestion]") {
  CHECK(parse_risk("expected").value() == 1.0);
  CHECK(parse_risk("cvar:0.1").value() == 0.1);
  CHECK(parse_risk("cvar:1").value() == 1.0);
  for (const char* bad : {"", "cvar", "cvar:", "cvar:0", "cvar:1.5", "cvar:-0.1", "cvar:nan", "cvar:0.1 ", "mean"}) {
    CAPTURE(bad);
    const auto tail = parse_risk(bad);
    REQUIRE_FALSE(tail);
    CHECK(tail.error().message.find("cvar:ALPHA") != std::string::npos);
  }
}

}  // namespace wan::simulator
