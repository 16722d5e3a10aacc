#include "core/traffic_matrix.h"

#include <catch2/catch.hpp>

using namespace wan;
using std::chrono::seconds;

namespace {

TrafficMatrix matrix_at(std::int64_t second, double bps = 1.0) {
  TrafficMatrix matrix{2};
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(bps));
  matrix.set_measured_at(Timestamp{seconds{second}});
  return matrix;
}

}  // namespace

TEST_CASE("a matrix is laid out class by class, row by row", "[traffic_matrix]") {
  TrafficMatrix matrix{3, 2};
  matrix.set(TrafficClass{1}, NodeId{2}, NodeId{0}, BitRate::bps(7));
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(5));
  REQUIRE(matrix.bps().size() == 18);
  CHECK(matrix.bps()[1] == 5.0);
  CHECK(matrix.bps()[9 + 6] == 7.0);
  CHECK(matrix.at(TrafficClass{1}, NodeId{2}, NodeId{0}) == BitRate::bps(7));
  CHECK(matrix.at(NodeId{2}, NodeId{0}) == BitRate::bps(0));
  CHECK(matrix.total() == BitRate::bps(12));
}

TEST_CASE("scaling and adding classes keep the interval and touch nothing else", "[traffic_matrix]") {
  TrafficMatrix matrix{2, 2};
  matrix.set_measured_at(Timestamp{seconds{60}});
  matrix.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::bps(1));
  matrix.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(2));
  matrix.set(TrafficClass{1}, NodeId{1}, NodeId{0}, BitRate::bps(4));
  const TrafficMatrix doubled = matrix.scaled(2.0);
  CHECK(doubled.total() == BitRate::bps(14));
  CHECK(doubled.measured_at() == matrix.measured_at());
  const TrafficMatrix sum = matrix.classes_summed();
  CHECK(sum.class_count() == 1);
  CHECK(sum.at(NodeId{0}, NodeId{1}) == BitRate::bps(3));
  CHECK(sum.at(NodeId{1}, NodeId{0}) == BitRate::bps(4));
  CHECK(sum.measured_at() == matrix.measured_at());
}

TEST_CASE("a series' interval is the usual gap, whatever is missing", "[traffic_matrix]") {
  CHECK(TrafficSeries{}.interval() == Duration{0});
  CHECK(TrafficSeries{{matrix_at(0)}}.interval() == Duration{0});
  const TrafficSeries with_gap{{matrix_at(0), matrix_at(300), matrix_at(600), matrix_at(6000), matrix_at(6300)}};
  CHECK(with_gap.interval() == Duration{seconds{300}});
}

TEST_CASE("a series' digest covers times and entries of the part asked for", "[traffic_matrix]") {
  const TrafficSeries series{{matrix_at(0), matrix_at(300), matrix_at(600)}};
  const TrafficSeries longer{{matrix_at(0), matrix_at(300), matrix_at(900)}};
  const TrafficSeries other{{matrix_at(0), matrix_at(300, 2.0), matrix_at(600)}};
  CHECK(series.digest(2) == longer.digest(2));
  CHECK(series.digest(3) != longer.digest(3));
  CHECK(series.digest(2) != other.digest(2));
  CHECK(series.digest(1) == other.digest(1));
  CHECK(series.digest(3) == series.digest(99));
}
