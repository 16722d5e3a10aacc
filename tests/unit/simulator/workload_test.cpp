#include "simulator/workload.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::simulator {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

TrafficSeries series_of(GeneratorOptions options) { return generate_traffic(builtin_backbone(), options).value(); }

bool connected(const Topology& topology) {
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{n}, hop_costs(topology));
    for (std::size_t to = 0; to < topology.node_count(); ++to) {
      if (!tree.reaches(NodeId{to})) return false;
    }
  }
  return true;
}

/// Mean of the network's total over the hours [from, to) UTC of one day of a series of five-minute intervals.
double mean_total_gbps(const TrafficSeries& series, std::size_t day, std::size_t from_hour, std::size_t to_hour) {
  double sum = 0.0;
  for (std::size_t k = day * 288 + from_hour * 12; k < day * 288 + to_hour * 12; ++k) {
    sum += series.intervals[k].total().gbps();
  }
  return sum / static_cast<double>((to_hour - from_hour) * 12);
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  double mean_a = 0.0, mean_b = 0.0, ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) mean_a += a[i] / n, mean_b += b[i] / n;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

/// Log of one pair's rate over what it is without noise and bursts, by interval.
std::vector<double> log_deviation(const TrafficSeries& noisy, const TrafficSeries& calm, std::size_t from,
                                  std::size_t to) {
  std::vector<double> result;
  for (std::size_t k = 0; k < noisy.intervals.size(); ++k) {
    result.push_back(
        std::log(noisy.intervals[k].at(NodeId{from}, NodeId{to}) / calm.intervals[k].at(NodeId{from}, NodeId{to})));
  }
  return result;
}

const GeneratorOptions kCalm{.pair_noise = 0.0, .node_noise = 0.0, .bursts_per_day = 0.0, .flash_crowds_per_day = 0.0};

TEST_CASE("the built-in backbone is a plausible network", "[workload]") {
  const Topology topology = builtin_backbone();
  CHECK(topology.node_count() == 12);
  CHECK(topology.link_count() == 40);
  const Link& link = topology.link(topology.find_link("London-Paris").value());
  CHECK(link.capacity == BitRate::gbps(100));
  CHECK(to_milliseconds(link.delay) == Approx(1.68).margin(0.03));  // 343 km of fibre
  CHECK(link.weight == 10.0);
  for (const Link& forward : topology.links()) {
    const auto back = topology.links_between(forward.to, forward.from);
    REQUIRE(back.size() == 1);
    CHECK(topology.link(back[0]).capacity == forward.capacity);
    CHECK(topology.link(back[0]).delay == forward.delay);
    CHECK(topology.link(back[0]).srlgs == forward.srlgs);
  }
}

TEST_CASE("the built-in backbone survives any cable, city or risk group", "[workload]") {
  const Topology topology = builtin_backbone();
  std::size_t groups = 0;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    CHECK(connected(topology.with_links_down(std::vector{LinkId{l}, topology.links_between(link.to, link.from)[0]})));
    for (const SrlgId group : link.srlgs) groups = std::max(groups, group.index() + 1);
  }
  CHECK(groups >= 3);
  for (std::size_t group = 0; group < groups; ++group) {
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (std::ranges::count(topology.links()[l].srlgs, SrlgId{group}) > 0) down.push_back(LinkId{l});
    }
    INFO("risk group " << group);
    CHECK(down.size() >= 4);
    CHECK(connected(topology.with_links_down(down)));
  }
  for (std::size_t lost = 0; lost < topology.node_count(); ++lost) {
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (topology.links()[l].from.index() == lost || topology.links()[l].to.index() == lost) down.push_back(LinkId{l});
    }
    const Topology rest = topology.with_links_down(down);
    const ShortestPathTree tree = shortest_path_tree(rest, NodeId{lost == 0 ? 1u : 0u}, hop_costs(rest));
    INFO("without " << topology.nodes()[lost].name);
    CHECK(std::ranges::count_if(tree.cost, [](double cost) { return std::isfinite(cost); }) == 11);
  }
}

TEST_CASE("a series keeps its time grid and holds sound numbers", "[workload]") {
  const GeneratorOptions options{.days = days{2}, .interval = minutes{15}};
  const TrafficSeries series = series_of(options);
  REQUIRE(series.intervals.size() == 192);
  for (std::size_t k = 0; k < series.intervals.size(); ++k) {
    const TrafficMatrix& matrix = series.intervals[k];
    REQUIRE(matrix.measured_at() == options.start + minutes{15} * k);
    for (std::size_t from = 0; from < 12; ++from) {
      for (std::size_t to = 0; to < 12; ++to) {
        const double bps = matrix.at(NodeId{from}, NodeId{to}).bps();
        REQUIRE(std::isfinite(bps));
        REQUIRE((from == to ? bps == 0.0 : bps > 0.0));
      }
    }
  }
}

TEST_CASE("equal seeds give equal traffic and other seeds other traffic", "[workload]") {
  const GeneratorOptions options{.days = days{1}};
  GeneratorOptions other = options;
  other.seed = 2;
  CHECK(series_of(options).digest(288) == series_of(options).digest(288));
  CHECK(series_of(options).digest(288) != series_of(other).digest(288));
}

TEST_CASE("traffic follows the day and the week", "[workload]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    GeneratorOptions options = kCalm;
    options.seed = seed;
    const TrafficSeries series = series_of(options);
    INFO("seed " << seed);
    const double night = mean_total_gbps(series, 1, 2, 4), evening = mean_total_gbps(series, 1, 18, 21);
    CHECK(night / evening > 0.25);
    CHECK(night / evening < 0.55);
    const double weekday = mean_total_gbps(series, 2, 11, 15), saturday = mean_total_gbps(series, 5, 11, 15);
    CHECK(saturday / weekday > 0.5);
    CHECK(saturday / weekday < 0.85);
    CHECK(mean_total_gbps(series, 1, 0, 24) == Approx(mean_total_gbps(series, 3, 0, 24)).epsilon(1e-9));
  }
}

TEST_CASE("the evening reaches the east before the west", "[workload]") {
  const TrafficSeries series = series_of(kCalm);
  const Topology topology = builtin_backbone();
  const auto evening_peak = [&](std::string_view city) {
    const NodeId to = topology.find_node(city).value();
    std::size_t busiest = 17 * 12 + 6;
    double highest = 0.0;
    for (std::size_t k = busiest; k < 288; ++k) {
      double received = 0.0;
      for (std::size_t from = 0; from < 12; ++from) received += series.intervals[k].at(NodeId{from}, to).bps();
      if (received > highest) highest = received, busiest = k;
    }
    return static_cast<double>(busiest) / 12.0;
  };
  CHECK(evening_peak("Lisbon") - evening_peak("Bucharest") > 0.75);
  CHECK(evening_peak("Lisbon") - evening_peak("Bucharest") < 3.5);
}

TEST_CASE("noise remembers, and nodes move their traffic together", "[workload]") {
  GeneratorOptions noisy = kCalm;
  noisy.days = days{14};
  GeneratorOptions calm = noisy;
  noisy.pair_noise = 0.2;
  const auto pair_only = series_of(noisy), expected = series_of(calm);
  const std::vector<double> pair = log_deviation(pair_only, expected, 3, 5);
  double variance = 0.0;
  for (const double x : pair) variance += x * x / static_cast<double>(pair.size());
  CHECK(std::sqrt(variance) > 0.1);
  CHECK(std::sqrt(variance) < 0.36);
  const std::vector<double> now(pair.begin(), pair.end() - 1), next(pair.begin() + 1, pair.end());
  CHECK(correlation(now, next) == Approx(std::exp(-300.0 / 2400.0)).margin(0.03));
  CHECK(std::abs(correlation(pair, log_deviation(pair_only, expected, 7, 8))) < 0.15);

  noisy.node_noise = 0.2;
  const auto both = series_of(noisy);
  CHECK(correlation(log_deviation(both, expected, 3, 5), log_deviation(both, expected, 3, 8)) > 0.2);
}

TEST_CASE("bursts lift single pairs, crowds all that a node sends, and both pass", "[workload]") {
  GeneratorOptions options = kCalm;
  const TrafficSeries calm = series_of(options);
  options.bursts_per_day = 4.0;
  const TrafficSeries bursty = series_of(options);
  double highest = 0.0;
  std::size_t lifted = 0, entries = 0;
  for (std::size_t k = 0; k < calm.intervals.size(); ++k) {
    for (std::size_t i = 0; i < 144; ++i) {
      if (calm.intervals[k].bps()[i] == 0.0) continue;
      const double ratio = bursty.intervals[k].bps()[i] / calm.intervals[k].bps()[i];
      REQUIRE(ratio >= 1.0 - 1e-12);
      highest = std::max(highest, ratio);
      ++entries;
      lifted += ratio > 1.2;
    }
  }
  CHECK(highest > 2.0);
  CHECK(highest < 9.0);
  CHECK(lifted > 0);
  CHECK(static_cast<double>(lifted) < 0.01 * static_cast<double>(entries));
}

TEST_CASE("the level puts weight routing where the options say", "[workload]") {
  const Topology topology = builtin_backbone();
  const PathPlan plan = igp_plan(topology, weight_costs(topology)).value();
  for (const double level : {0.5, 1.1}) {
    GeneratorOptions options = kCalm;
    options.days = days{1};
    options.igp_utilization_busy_hour = level;
    double busiest = 0.0;
    for (const TrafficMatrix& matrix : series_of(options).intervals) {
      busiest = std::max(busiest, max_utilization(topology, plan, matrix));
    }
    CHECK(busiest == Approx(level).epsilon(0.01));
  }
}

TEST_CASE("at the default level shortest-path routing overloads a link on most days", "[workload]") {
  const Topology topology = builtin_backbone();
  const PathPlan plan = igp_plan(topology, weight_costs(topology)).value();
  const TrafficSeries series = series_of({});
  std::vector<double> peaks(7, 0.0);
  for (std::size_t k = 0; k < series.intervals.size(); ++k) {
    peaks[k / 288] = std::max(peaks[k / 288], max_utilization(topology, plan, series.intervals[k]));
  }
  std::ranges::sort(peaks);
  CHECK(peaks[3] > 1.05);
  CHECK(peaks[3] < 1.35);
}

TEST_CASE("the generator refuses what makes no sense", "[workload]") {
  const Topology topology = builtin_backbone();
  const auto refused = [&](const GeneratorOptions& options) { return !generate_traffic(topology, options); };
  CHECK(refused({.days = days{0}}));
  CHECK(refused({.interval = std::chrono::seconds{7 * 3600}}));
  CHECK(refused({.interval = std::chrono::seconds{0}}));
  CHECK(refused({.igp_utilization_busy_hour = std::nan("")}));
  CHECK(refused({.pair_noise = -0.1}));
  CHECK(refused({.bursts_per_day = INFINITY}));
  const Topology islands = Topology::make({{"A", std::nullopt}, {"B", std::nullopt}}, {}).value();
  CHECK(!generate_traffic(islands, {}));
}

TEST_CASE("gravity demands are seeded, positive and separable", "[workload]") {
  const Topology topology = builtin_backbone();
  const TrafficMatrix matrix = gravity_demands(topology, 7);
  CHECK(matrix == gravity_demands(topology, 7));
  CHECK(!(matrix == gravity_demands(topology, 8)));
  const auto at = [&](std::size_t i, std::size_t j) { return matrix.at(NodeId{i}, NodeId{j}).bps(); };
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 12; ++j) CHECK((i == j ? at(i, j) == 0.0 : at(i, j) > 0.0));
  }
  // Two receivers' shares of one sender do not depend on the sender.
  CHECK(at(0, 1) / at(0, 2) == Approx(at(5, 1) / at(5, 2)).epsilon(1e-12));
}

}  // namespace
}  // namespace wan::simulator
