#include "controller/congestion_risk.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "controller/control_loop.h"
#include "core/link_load.h"
#include "tests/unit/controller/day_traffic.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

struct Drawn {
  explicit Drawn(std::uint64_t seed, std::size_t leads = 2) {
    Rng rng{seed, "congestion"};
    topology = test::drawn_network(rng, {.nodes = 5, .two_way_links = 8, .capacity_decades = 1.0, .connected = true});
    plan = test::least_delay_plan(topology);
    for (int k = 0; k < 200; ++k) {
      models::Trajectory& way = trajectories.emplace_back();
      for (std::size_t lead = 0; lead < leads; ++lead) way.push_back(test::drawn_demand(rng, 5, 1.0, 1e7));
    }
  }
  [[nodiscard]] double peak(std::size_t k, std::size_t link) const {
    double highest = 0.0;
    for (const TrafficMatrix& matrix : trajectories[k]) {
      highest = std::max(highest, link_loads_bps(topology, plan, matrix)[link] / topology.links()[link].capacity.bps());
    }
    return highest;
  }
  Topology topology;
  PathPlan plan;
  std::vector<models::Trajectory> trajectories;
};

}  // namespace

TEST_CASE("a congestion probability is about the part of the trajectories above the threshold", "[congestion]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Drawn drawn{seed};
    std::vector<double> threshold(drawn.topology.link_count());
    for (std::size_t l = 0; l < threshold.size(); ++l) threshold[l] = drawn.peak(seed, l);
    const auto probability = congestion_probability(drawn.topology, drawn.plan, drawn.trajectories, threshold);
    for (std::size_t l = 0; l < threshold.size(); ++l) {
      CAPTURE(seed, l);
      double above = 0.0;
      for (std::size_t k = 0; k < drawn.trajectories.size(); ++k)
        above += drawn.peak(k, l) > threshold[l] ? 0.005 : 0.0;
      if (threshold[l] > 0.0) CHECK(probability[l] == Approx(above).margin(0.12));  // the kernel's width
    }
  }
}

TEST_CASE("a congestion probability falls as the threshold rises, and grows with the horizon", "[congestion]") {
  const Drawn longer{3, 3};
  Drawn shorter = longer;
  for (models::Trajectory& way : shorter.trajectories) way.resize(1);
  const std::size_t links = longer.topology.link_count();
  std::vector<double> before(links, 1.0);
  for (const double level : {1e-6, 0.01, 0.03, 0.1, 0.3, 1.0, 1e3}) {
    const std::vector<double> threshold(links, level);
    const auto now = congestion_probability(longer.topology, longer.plan, longer.trajectories, threshold);
    const auto sooner = congestion_probability(shorter.topology, shorter.plan, shorter.trajectories, threshold);
    for (std::size_t l = 0; l < links; ++l) {
      CAPTURE(level, l);
      CHECK((now[l] >= 0.0 && now[l] <= 1.0));
      CHECK(now[l] <= before[l] + 1e-12);
      CHECK(sooner[l] <= now[l] + 0.02);  // the kernels differ in width
    }
    before = now;
  }
  CHECK(*std::max_element(before.begin(), before.end()) < 1e-9);
}

TEST_CASE("a link that is down is not congested", "[congestion]") {
  Drawn drawn{4};
  const LinkId dead{0};
  drawn.topology = drawn.topology.with_links_down({&dead, 1});
  const std::vector<double> threshold(drawn.topology.link_count(), 1e-9);
  CHECK(congestion_probability(drawn.topology, drawn.plan, drawn.trajectories, threshold)[0] == 0.0);
}

TEST_CASE("a utilisation quantile is the nearest rank of a sorted sample", "[congestion]") {
  const Drawn drawn{5, 1};
  std::vector<TrafficMatrix> matrices;
  for (const models::Trajectory& way : drawn.trajectories) matrices.push_back(way[0]);
  for (const double share : {0.01, 0.5, 0.95, 1.0}) {
    const auto quantile = utilization_quantile(drawn.topology, drawn.plan, matrices, share);
    for (std::size_t l = 0; l < quantile.size(); ++l) {
      std::vector<double> sample;
      for (std::size_t k = 0; k < matrices.size(); ++k) sample.push_back(drawn.peak(k, l));
      std::sort(sample.begin(), sample.end());
      CHECK(quantile[l] == sample[static_cast<std::size_t>(std::ceil(share * 200.0 - 1e-9)) - 1]);
    }
  }
}

TEST_CASE("trajectories repeat, lead by lead, how a held forecast missed", "[congestion]") {
  const auto one_way = [](double bps) {
    TrafficMatrix matrix{2};
    matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(bps));
    return matrix;
  };
  models::TrajectorySource source{{.leads = 3, .count = 2}};
  CHECK(source.around(one_way(7.0)).front() == models::Trajectory(3, one_way(7.0)));
  // Forecasts 100, 110, 120, ... for measures 105, 110, 130, 90, 100.
  const std::vector<double> measured{105, 110, 130, 90, 100};
  for (std::size_t i = 0; i < measured.size(); ++i) {
    source.record(one_way(100.0 + 10.0 * static_cast<double>(i)), one_way(measured[i]));
  }
  REQUIRE(source.count() == 2);
  const auto ways = source.around(one_way(120.0));
  REQUIRE(ways.size() == 2);  // the newest origins that are complete: the third, then the second
  const auto rate = [&](std::size_t way, std::size_t lead) { return ways[way][lead].at(NodeId{0}, NodeId{1}).bps(); };
  CHECK(rate(0, 0) == Approx(130.0));
  CHECK(rate(0, 1) == Approx(90.0));
  CHECK(rate(0, 2) == Approx(100.0));
  CHECK(rate(1, 0) == Approx(120.0 + 120.0 / 110.0 * 0.0));
  CHECK(rate(1, 1) == Approx(120.0 + 120.0 / 110.0 * 20.0));
  CHECK(rate(1, 2) == Approx(120.0 + 120.0 / 110.0 * -20.0));
}

TEST_CASE("a loop foretells what its own trajectories say", "[congestion][loop]") {
  const test::DayTraffic traffic{5};
  LoopOptions options;
  options.risk_horizon = 2;
  auto loop =
      ControlLoop::make(traffic.topology(), nullptr, traffic.days(0, 300), test::DayTraffic::kInterval, options);
  REQUIRE(loop);
  for (std::size_t row = 300; row < 304; ++row) (void)loop->step(traffic.at(row), test::DayTraffic::due(row));
  const std::size_t links = traffic.topology().link_count();
  const auto sure = loop->congestion_probability(loop->plan_in_force(), std::vector<double>(links, 1e-9));
  const auto never = loop->congestion_probability(loop->plan_in_force(), std::vector<double>(links, 1e3));
  CHECK(*std::max_element(sure.begin(), sure.end()) > 0.99);
  CHECK(*std::max_element(never.begin(), never.end()) < 1e-6);
}

}  // namespace wan::controller
