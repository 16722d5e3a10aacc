#include "core/io/demand_file.h"

#include <catch2/catch.hpp>

#include "core/io/topology_file.h"
#include "tests/unit/core/format_samples.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

TEST_CASE("REPETITA demands are kbit/s and add up", "[io][demands]") {
  const auto matrix = parse_demands(kRepetitaDemands, "d", diamond());
  REQUIRE(matrix);
  CHECK(matrix->node_count() == 4);
  CHECK(matrix->class_count() == 1);
  CHECK(matrix->at(NodeId{0}, NodeId{1}) == BitRate::kbps(1500));
  CHECK(matrix->at(NodeId{1}, NodeId{2}) == BitRate::kbps(2000));
  CHECK(matrix->total() == BitRate::kbps(3500));
}

TEST_CASE("SNDlib demands go one way, by name, in multiples of their routing unit", "[io][demands]") {
  const auto topology = parse_topology(kSndlib, "s");
  REQUIRE(topology);
  const auto matrix = parse_demands(kSndlib, "s", topology->topology);
  REQUIRE(matrix);
  CHECK(matrix->at(NodeId{0}, NodeId{2}) == BitRate::mbps(25));
  CHECK(matrix->at(NodeId{2}, NodeId{0}) == BitRate{});
  CHECK(matrix->total() == BitRate::mbps(25));
}

TEST_CASE("SNDlib demands follow the stated unit", "[io][demands]") {
  const auto topology = parse_topology(kSndlib, "s");
  REQUIRE(topology);
  const auto total_in = [&](std::string_view unit) {
    std::string text{kSndlib};
    text.replace(text.find("MBITPERSEC"), 10, unit);
    return parse_demands(text, "s", topology->topology).value().total();
  };
  CHECK(total_in("GBITPERSEC") == BitRate::gbps(25));
  CHECK(total_in("KBITPERSEC") == BitRate::kbps(25));
  CHECK(total_in("BITPERSEC") == BitRate::bps(25));
}
