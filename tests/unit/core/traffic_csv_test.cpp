#include "core/io/traffic_csv.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"
#include "tests/unit/core/format_samples.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

Topology triangle() { return network(3, {{0, 1}, {1, 2}, {2, 0}}); }

Topology named(const std::vector<std::string>& names) {
  std::vector<Node> nodes;
  for (const std::string& name : names) nodes.push_back({.name = name, .location = {}});
  return Topology::make(std::move(nodes), {}).value();
}

TrafficSeries parsed(std::string_view text, const Topology& topology) {
  auto series = parse_traffic_csv(text, "t.csv", topology);
  if (!series) FAIL(series.error().message);
  return *std::move(series);
}

}  // namespace

TEST_CASE("a series is read in Mbit/s; pairs without a column are zero", "[io][csv]") {
  const TrafficSeries series = parsed(kTrafficCsv, triangle());
  REQUIRE(series.intervals.size() == 2);
  const TrafficMatrix& first = series.intervals[0];
  CHECK(first.measured_at() == parse_timestamp("2004-03-01"));
  CHECK(first.at(NodeId{0}, NodeId{1}) == BitRate::mbps(1.5));
  CHECK(first.at(NodeId{2}, NodeId{0}) == BitRate::mbps(0.25));
  CHECK(first.total() == BitRate::mbps(1.75));
  CHECK(series.intervals[1].at(NodeId{1}, NodeId{2}) == BitRate::mbps(10));
  CHECK(series.interval() == Duration{std::chrono::minutes{5}});
}

TEST_CASE("byte order mark, LF or CRLF, a missing last newline and blank lines at the end change nothing",
          "[io][csv]") {
  const Topology topology = triangle();
  const auto expected = parsed(kTrafficCsv, topology).intervals;
  std::string text{kTrafficCsv};
  CHECK(parsed("\xEF\xBB\xBF" + text, topology).intervals == expected);
  CHECK(parsed(text + "\r\n\n \t\n", topology).intervals == expected);
  std::erase(text, '\r');
  CHECK(parsed(text, topology).intervals == expected);
  CHECK(parsed(text.substr(0, text.size() - 1), topology).intervals == expected);
  CHECK(parsed(std::string{kTrafficCsv.substr(0, kTrafficCsv.size() - 1)}, topology).intervals ==
        expected);  // ends in CR
}

TEST_CASE("quoted column names may hold commas, quotes and line breaks", "[io][csv]") {
  const Topology topology = named({"a,b", "say \"hi\"", "two\nlines"});
  const TrafficSeries series = parsed("time,\"a,b>say \"\"hi\"\"\",\"two\nlines>a,b\"\n1,2,\"3\"\n", topology);
  CHECK(series.intervals[0].at(NodeId{0}, NodeId{1}) == BitRate::mbps(2));
  CHECK(series.intervals[0].at(NodeId{2}, NodeId{0}) == BitRate::mbps(3));
}

TEST_CASE("node names with '>' are told apart where that is possible", "[io][csv]") {
  const Topology topology = named({"a>b", "c", "a", "b>c", "d>"});
  CHECK(parsed("time,c>a>b\n1,2\n", topology).intervals[0].at(NodeId{1}, NodeId{0}) == BitRate::mbps(2));
  CHECK(parsed("time,d>>c\n1,2\n", topology).intervals[0].at(NodeId{4}, NodeId{1}) == BitRate::mbps(2));
  const auto ambiguous = parse_traffic_csv("time,a>b>c\n1,2\n", "t.csv", topology);
  REQUIRE_FALSE(ambiguous);
  CHECK(ambiguous.error().message == "t.csv:1: column 2, \"a>b>c\", can be read as more than one pair of nodes");
}

TEST_CASE("a series that is written is read back to the last bit", "[io][csv]") {
  const ScratchFolder folder;
  const Topology topology = named({"plain", "with,comma", "with \"quotes\"", "line\nbreak"});
  Rng rng{17, "csv"};
  TrafficSeries series;
  for (std::int64_t row = 0; row < 50; ++row) {
    TrafficMatrix matrix{4};
    matrix.set_measured_at(Timestamp{std::chrono::seconds{row * 60 + static_cast<std::int64_t>(rng.below(50))}});
    for (std::size_t i = 0; i < 16; ++i) {
      if (i / 4 != i % 4) matrix.bps()[i] = rng.uniform() * std::pow(10.0, static_cast<double>(rng.below(18)));
    }
    series.intervals.push_back(matrix);
  }
  REQUIRE(write_traffic_csv(folder / "t.csv", topology, series));
  const auto back = read_traffic_csv(folder / "t.csv", topology);
  REQUIRE(back);
  CHECK(back->intervals == series.intervals);
}

TEST_CASE("what the CSV cannot hold is not written", "[io][csv]") {
  const ScratchFolder folder;
  const auto ambiguous = write_traffic_csv(folder / "t.csv", named({"a>b", "c", "a", "b>c"}), {});
  REQUIRE_FALSE(ambiguous);
  CHECK(ambiguous.error().code == ErrorCode::kUnsupported);
  const auto classes = write_traffic_csv(folder / "t.csv", triangle(), {{TrafficMatrix{3, 2}}});
  REQUIRE_FALSE(classes);
  CHECK(classes.error().code == ErrorCode::kShapeMismatch);
}
