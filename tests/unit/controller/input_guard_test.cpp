#include "controller/input_guard.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "tests/unit/controller/day_traffic.h"

namespace wan::controller {
namespace {

std::string text_of(const std::optional<InputFault>& fault) { return fault ? fault->text : std::string{}; }

using Catch::Matchers::StartsWith;
using test::DayTraffic;

constexpr std::size_t kTraining = 576;  // two days of five minutes

/// A guard that has seen two days of a network of 5 nodes, and the traffic that goes on from there.
struct Watch {
  explicit Watch(std::uint64_t seed, std::size_t training = kTraining, const InputGuardOptions& options = {})
      : traffic{seed},
        guard{InputGuard::fit(traffic.topology(), traffic.days(0, training), DayTraffic::kInterval, options)},
        row{training} {}

  [[nodiscard]] TrafficMatrix next() const { return traffic.at(row); }
  [[nodiscard]] static Timestamp in_time(const TrafficMatrix& matrix) {
    return matrix.measured_at() + std::chrono::seconds{300};
  }
  [[nodiscard]] std::string fault(const TrafficMatrix& matrix) const {
    return text_of(guard.fault(matrix, in_time(matrix)));
  }
  /// Lets one interval of clean traffic pass.
  std::string pass() {
    const TrafficMatrix matrix = next();
    const std::string found = fault(matrix);
    guard.record(matrix, matrix);
    ++row;
    return found;
  }

  DayTraffic traffic;
  InputGuard guard;
  std::size_t row;
};

}  // namespace

TEST_CASE("noisy daily traffic never alarms the guard", "[guard]") {
  std::size_t alarms = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Watch watch{seed};
    for (int i = 0; i < 288; ++i) {
      const std::string found = watch.pass();
      INFO(found);
      CHECK(found.empty());
      if (!found.empty()) ++alarms;
    }
  }
  CHECK(alarms == 0);
}

TEST_CASE("a demand far above its training level and jumps is a spike, named with its pair", "[guard]") {
  Watch watch{1};
  TrafficMatrix matrix = watch.next();
  const double usual = matrix.at(NodeId{1}, NodeId{3}).bps();
  matrix.set(NodeId{1}, NodeId{3}, BitRate::bps(50.0 * usual));
  CHECK_THAT(watch.fault(matrix), StartsWith("spike: n1 > n3 reads "));
}

TEST_CASE("a spike in one class is seen although the other classes are quiet", "[guard]") {
  Watch watch{1};
  const TrafficMatrix one = watch.next();
  const std::vector<TrafficMatrix> history = [&] {
    std::vector<TrafficMatrix> rows;
    for (const TrafficMatrix& row : watch.traffic.days(0, kTraining)) rows.push_back(test::two_classes(row));
    return rows;
  }();
  const InputGuard guard = InputGuard::fit(watch.traffic.topology(), history, DayTraffic::kInterval, {});
  TrafficMatrix matrix = test::two_classes(one);
  CHECK_FALSE(guard.fault(matrix, Watch::in_time(matrix)));
  matrix.set(TrafficClass{1}, NodeId{1}, NodeId{3}, BitRate::bps(50.0 * one.at(NodeId{1}, NodeId{3}).bps()));
  CHECK_THAT(text_of(guard.fault(matrix, Watch::in_time(matrix))), StartsWith("spike: n1 > n3"));
}

TEST_CASE("a wild jump is implausible although training once stood higher", "[guard]") {
  // Once in training the pair climbs to a thousand times its level and comes down again, by 30 % a row.
  std::vector<TrafficMatrix> training;
  const DayTraffic traffic{2};
  for (std::size_t row = 0; row < 400; ++row) {
    const double away = std::abs(static_cast<double>(row) - 200.0);
    TrafficMatrix matrix = traffic.at(row);
    matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(std::max(1e6, 1e9 * std::pow(1.3, -away))));
    training.push_back(matrix);
  }
  const InputGuard guard = InputGuard::fit(traffic.topology(), training, DayTraffic::kInterval, {});
  TrafficMatrix matrix = traffic.at(400);
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(1e6));
  CHECK_FALSE(guard.fault(matrix, Watch::in_time(matrix)));
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(9e8));  // below the 1e9 of training's middle
  CHECK_THAT(text_of(guard.fault(matrix, Watch::in_time(matrix))), StartsWith("spike: n0 > n1"));
}

TEST_CASE("a pair that hardly ever mattered may jump from nothing", "[guard]") {
  const DayTraffic traffic{3};
  std::vector<TrafficMatrix> training = traffic.days(0, kTraining);
  for (TrafficMatrix& matrix : training) matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(0));
  const InputGuard guard = InputGuard::fit(traffic.topology(), training, DayTraffic::kInterval, {});
  TrafficMatrix matrix = traffic.at(kTraining);
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(0.5e-5 * matrix.total().bps()));
  CHECK_FALSE(guard.fault(matrix, Watch::in_time(matrix)));
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(0.5 * matrix.total().bps()));
  CHECK(guard.fault(matrix, Watch::in_time(matrix)));
}

TEST_CASE("a slow ramp to ten times the training level is traffic, not a fault", "[guard]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Watch watch{seed};
    for (int i = 0; i <= 144; ++i) {
      const TrafficMatrix matrix = watch.next().scaled(std::pow(10.0, i / 144.0));
      const std::string found = watch.fault(matrix);
      INFO(found);
      CHECK(found.empty());
      watch.guard.record(matrix, matrix);
      ++watch.row;
    }
  }
}

TEST_CASE("a matrix that repeats the one before to the last digit is frozen", "[guard]") {
  Watch watch{4};
  watch.pass();
  TrafficMatrix frozen = watch.traffic.at(watch.row - 1);
  frozen.set_measured_at(watch.next().measured_at());
  CHECK_THAT(watch.fault(frozen), StartsWith("frozen: 5 of 5 nodes"));
}

TEST_CASE("one node whose traffic stands still is frozen, and named", "[guard]") {
  Watch watch{4};
  watch.pass();
  const TrafficMatrix before = watch.traffic.at(watch.row - 1);
  TrafficMatrix matrix = watch.next();
  for (std::size_t t = 0; t < 5; ++t) {
    if (t != 2) matrix.set(NodeId{2}, NodeId{t}, before.at(NodeId{2}, NodeId{t}));
  }
  CHECK_THAT(watch.fault(matrix), StartsWith("frozen: 1 of 5 nodes (n2)"));
  // Held matrices count on: the node is still frozen an interval later.
  watch.guard.record(matrix, watch.next());
  ++watch.row;
  TrafficMatrix later = watch.next();
  for (std::size_t t = 0; t < 5; ++t) {
    if (t != 2) later.set(NodeId{2}, NodeId{t}, before.at(NodeId{2}, NodeId{t}));
  }
  CHECK_THAT(watch.fault(later), Catch::Contains("for 2 intervals"));
  watch.guard.record(later, later);
  ++watch.row;
  CHECK(watch.pass().empty());
}

TEST_CASE("a standstill no longer than those of training is not a fault, a longer one is", "[guard]") {
  const DayTraffic traffic{5};
  std::vector<TrafficMatrix> training = traffic.days(0, kTraining);
  for (std::size_t repeat = 1; repeat <= 3; ++repeat) {  // one reading, then three repetitions of it
    const Timestamp time = training[100 + repeat].measured_at();
    training[100 + repeat] = training[100];
    training[100 + repeat].set_measured_at(time);
  }
  InputGuard guard = InputGuard::fit(traffic.topology(), training, DayTraffic::kInterval, {});
  const TrafficMatrix still = traffic.at(kTraining);
  guard.record(still, still);
  for (std::size_t repeat = 1; repeat <= 4; ++repeat) {
    CAPTURE(repeat);
    TrafficMatrix matrix = still;
    matrix.set_measured_at(traffic.at(kTraining + repeat).measured_at());
    CHECK(guard.fault(matrix, Watch::in_time(matrix)).has_value() == (repeat > 3));
    guard.record(matrix, matrix);
  }
}

TEST_CASE("a node that falls silent is a fault, whether it stops sending or receiving", "[guard]") {
  const Watch watch{6};
  TrafficMatrix sends_nothing = watch.next();
  TrafficMatrix receives_nothing = watch.next();
  for (std::size_t other = 0; other < 5; ++other) {
    if (other == 3) continue;
    sends_nothing.set(NodeId{3}, NodeId{other}, BitRate::bps(0));
    receives_nothing.set(NodeId{other}, NodeId{3}, BitRate::bps(0));
  }
  CHECK_THAT(watch.fault(sends_nothing), StartsWith("zeroed node: n3 sends 0 Mbit/s"));
  CHECK_THAT(watch.fault(receives_nothing), StartsWith("zeroed node: n3 receives 0 Mbit/s"));
  CHECK_THAT(watch.fault(watch.next().scaled(0.0)), !Catch::Equals(""));
}

TEST_CASE("a node that was silent in training may stay silent", "[guard]") {
  const DayTraffic traffic{7};
  std::vector<TrafficMatrix> training = traffic.days(0, kTraining + 1);
  for (TrafficMatrix& matrix : training) {
    for (std::size_t t = 0; t < 5; ++t) {
      if (t != 2) matrix.set(NodeId{2}, NodeId{t}, BitRate::bps(0));
    }
  }
  const TrafficMatrix next = training.back();
  training.pop_back();
  const InputGuard guard = InputGuard::fit(traffic.topology(), training, DayTraffic::kInterval, {});
  CHECK_FALSE(guard.fault(next, Watch::in_time(next)));
}

TEST_CASE("a matrix is stale when it is more than two and a half intervals old", "[guard]") {
  const Watch watch{8};
  const TrafficMatrix matrix = watch.next();
  CHECK_FALSE(watch.guard.fault(matrix, matrix.measured_at() + std::chrono::seconds{750}));
  CHECK_THAT(text_of(watch.guard.fault(matrix, matrix.measured_at() + std::chrono::seconds{751})),
             StartsWith("stale: "));
  CHECK(watch.guard.fault(matrix, matrix.measured_at() + std::chrono::hours{24 * 365 * 500}));
}

TEST_CASE("a matrix from the future is a fault, a clock a little behind is not", "[guard]") {
  const Watch watch{8};
  TrafficMatrix matrix = watch.next();
  CHECK_FALSE(watch.guard.fault(matrix, matrix.measured_at() - std::chrono::seconds{60}));
  const Timestamp now = Watch::in_time(matrix);
  matrix.set_measured_at(now + std::chrono::hours{24 * 365 * 20});
  CHECK(watch.guard.fault(matrix, now));
  matrix.set_measured_at(now + std::chrono::hours{24 * 365 * 500});
  CHECK(watch.guard.fault(matrix, now));
}

TEST_CASE("a time that is repeated or goes back is a fault", "[guard]") {
  Watch watch{9};
  watch.pass();
  TrafficMatrix matrix = watch.next();
  const Timestamp now = matrix.measured_at();
  matrix.set_measured_at(watch.traffic.at(watch.row - 1).measured_at());
  CHECK_THAT(text_of(watch.guard.fault(matrix, now)), Catch::Contains("not newer"));
  matrix.set_measured_at(watch.traffic.at(watch.row - 2).measured_at());
  CHECK_THAT(text_of(watch.guard.fault(matrix, now)), Catch::Contains("not newer"));
}

TEST_CASE("entries that are negative or no numbers are faults, however little training there was", "[guard]") {
  for (const std::size_t training : {kTraining, std::size_t{1}}) {
    CAPTURE(training);
    const Watch watch{10, training};
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      TrafficMatrix matrix = watch.next();
      matrix.set(NodeId{4}, NodeId{0}, BitRate::bps(bad));
      CHECK_THAT(watch.fault(matrix), Catch::Contains("negative or non-finite"));
    }
  }
}

TEST_CASE("a matrix of another shape is a fault and never read", "[guard]") {
  const Watch watch{11};
  TrafficMatrix small{4};
  small.set_measured_at(watch.next().measured_at());
  CHECK_THAT(watch.fault(small), StartsWith("the matrix has 4 nodes, the network 5"));
  TrafficMatrix classes = test::two_classes(watch.next());
  CHECK_THAT(watch.fault(classes), Catch::Contains("2 classes"));
}

TEST_CASE("with fewer than 24 intervals of training no level is judged", "[guard]") {
  const Watch untrained{12, 23};
  const Watch trained{12, 24};
  const TrafficMatrix wild = untrained.next().scaled(1e4);
  CHECK(untrained.fault(wild).empty());
  CHECK_FALSE(trained.fault(trained.next().scaled(1e4)).empty());
}

TEST_CASE("a forecast is judged by its shape, numbers and level", "[guard]") {
  for (const std::size_t training : {kTraining, std::size_t{3}}) {
    CAPTURE(training);
    const Watch watch{13, training};
    CHECK_FALSE(watch.guard.demand_fault(watch.next()));
    CHECK(watch.guard.demand_fault(TrafficMatrix{4}));
    CHECK(watch.guard.demand_fault(test::two_classes(watch.next())));
    TrafficMatrix broken = watch.next();
    broken.set(NodeId{0}, NodeId{1}, BitRate::bps(std::numeric_limits<double>::quiet_NaN()));
    CHECK(watch.guard.demand_fault(broken));
    broken.set(NodeId{0}, NodeId{1}, BitRate::bps(-1.0));
    CHECK(watch.guard.demand_fault(broken));
    CHECK(watch.guard.demand_fault(watch.next().scaled(1e3)).has_value() == (training == kTraining));
  }
}

TEST_CASE("what is believed, not what is measured, is what later jumps are measured against", "[guard]") {
  Watch watch{14};
  const TrafficMatrix clean = watch.next();
  const TrafficMatrix spike = clean.scaled(100.0);
  watch.guard.record(spike, clean);
  ++watch.row;
  CHECK_THAT(watch.fault(watch.next().scaled(100.0)), StartsWith("spike"));
  const TrafficMatrix lasting = watch.next().scaled(100.0);
  watch.guard.record(lasting, lasting);
  ++watch.row;
  CHECK(watch.fault(watch.next().scaled(100.0)).empty());
}

TEST_CASE("what the guard has learned widens what is usual, and nothing beyond it", "[guard]") {
  Watch watch{15};
  const auto surge = [&](double factor) {
    TrafficMatrix matrix = watch.next();
    matrix.set(NodeId{1}, NodeId{3}, BitRate::bps(factor * matrix.at(NodeId{1}, NodeId{3}).bps()));
    return matrix;
  };
  CHECK_THAT(watch.fault(surge(10.0)), StartsWith("spike: n1 > n3"));
  watch.guard.learn(surge(8.0));
  CHECK(watch.fault(surge(10.0)).empty());
  CHECK_THAT(watch.fault(surge(100.0)), StartsWith("spike: n1 > n3"));
}

TEST_CASE("a silence that was accepted is not a fault again", "[guard]") {
  Watch watch{15};
  const auto silenced = [&] {
    TrafficMatrix matrix = watch.next();
    for (std::size_t t = 0; t < 5; ++t) {
      if (t != 1) matrix.set(NodeId{1}, NodeId{t}, BitRate::bps(0));
    }
    return matrix;
  };
  CHECK_FALSE(watch.fault(silenced()).empty());
  watch.guard.accept_level(silenced());
  watch.guard.record(silenced(), silenced());
  ++watch.row;
  CHECK(watch.fault(silenced()).empty());
}

}  // namespace wan::controller
