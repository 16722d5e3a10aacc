#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "core/io/demand_file.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "tests/support/shared_data.h"
#include "tests/unit/core/scratch_folder.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

struct Counts {
  std::string_view file;
  std::size_t nodes;
  std::size_t links;
};

void check_counts(const std::vector<Counts>& expected) {
  for (const auto& [name, nodes, links] : expected) {
    const auto file = shared_data(name);
    if (!file) return;
    INFO(name);
    const auto read = read_topology(*file);
    if (!read) FAIL(read.error().message);
    CHECK(read->topology.node_count() == nodes);
    CHECK(read->topology.link_count() == links);
  }
}

}  // namespace

TEST_CASE("Abilene and GEANT are read whole", "[io][real]") {
  check_counts({{"abilene/abilene.graph", 12, 30}, {"geant/geant.graph", 22, 72}});
  for (const auto& [folder, rows] : {std::pair{"abilene", 3456U}, std::pair{"geant", 480U}}) {
    const auto graph = shared_data(std::string{folder} + "/" + folder + ".graph");
    const auto csv = shared_data(std::string{folder} + "/traffic.csv");
    if (!graph || !csv) return;
    const auto topology = read_topology(*graph);
    REQUIRE(topology);
    CHECK(topology->assumptions.empty());
    const auto series = read_traffic_csv(*csv, topology->topology);
    if (!series) FAIL(series.error().message);
    CHECK(series->intervals.size() == rows);

    const ScratchFolder scratch;
    REQUIRE(write_traffic_csv(scratch / "again.csv", topology->topology, *series));
    CHECK(read_traffic_csv(scratch / "again.csv", topology->topology)->intervals == series->intervals);
    REQUIRE(write_repetita_graph(scratch / "again.graph", topology->topology));
    CHECK(read_topology(scratch / "again.graph")->topology.digest() == topology->topology.digest());
  }
}

TEST_CASE("TEAL's networks are read whole", "[io][real]") {
  check_counts({{"teal/B4.json", 12, 38},
                {"teal/UsCarrier.json", 158, 378},
                {"teal/Kdl.json", 754, 1790},
                {"teal/ASN2k.json", 1739, 8558}});
}

TEST_CASE("the Topology Zoo's networks are read whole, both ways and with parallel links", "[io][real]") {
  check_counts({{"topology-zoo/Cogentco.graphml", 197, 490},
                {"topology-zoo/Deltacom.graphml", 113, 366},
                {"topology-zoo/GtsCe.graphml", 149, 386},
                {"topology-zoo/Ion.graphml", 125, 300},
                {"topology-zoo/Kdl.graphml", 754, 1798},
                {"topology-zoo/TataNld.graphml", 145, 388},
                {"topology-zoo/Uninett2010.graphml", 74, 202},
                {"topology-zoo/UsCarrier.graphml", 158, 378}});
  const auto file = shared_data("topology-zoo/Cogentco.graphml");
  if (!file) return;
  const auto read = read_topology(*file);
  REQUIRE(read);
  REQUIRE(read->assumptions.size() == 4);
  CHECK(read->assumptions[0] == "capacity of 245 links not given: 10 Gbit/s assumed");
  std::map<std::pair<NodeId, NodeId>, int> pairs;
  for (const Link& link : read->topology.links()) ++pairs[{link.from, link.to}];
  CHECK(std::any_of(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.second > 1; }));
  for (const auto& [ends, count] : pairs) CHECK(pairs.at({ends.second, ends.first}) == count);
}

TEST_CASE("SNDlib's networks and demands are read whole", "[io][real]") {
  struct Expected {
    std::string_view file;
    std::size_t nodes, links;
    double total_mbps;
  };
  for (const auto& [name, nodes, links, total_mbps] :
       {Expected{"sndlib/abilene.xml", 12, 30, 3'000'002.0}, Expected{"sndlib/france.xml", 25, 90, 99'830.0},
        Expected{"sndlib/nobel-germany.xml", 17, 52, 660.0}, Expected{"sndlib/polska.xml", 12, 36, 9'943.0}}) {
    const auto file = shared_data(name);
    if (!file) return;
    INFO(name);
    const auto read = read_topology(*file);
    if (!read) FAIL(read.error().message);
    CHECK(read->topology.node_count() == nodes);
    CHECK(read->topology.link_count() == links);
    const auto demands = read_demands(*file, read->topology);
    if (!demands) FAIL(demands.error().message);
    CHECK(demands->total().mbps() == Approx(total_mbps).epsilon(1e-6));
  }
}

TEST_CASE("all 198 REPETITA graphs and their 990 demand sets are read", "[io][real]") {
  const auto archive = shared_data("repetita/zoo.tar.xz");
  if (!archive) return;
  const ScratchFolder scratch;
  const std::string unpack = "tar -C '" + scratch.path().string() + "' -xf '" + archive->string() + "'";
  REQUIRE(std::system(unpack.c_str()) == 0);

  std::size_t graphs = 0;
  std::size_t demand_sets = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{scratch.path()}) {
    if (entry.path().extension() != ".graph") continue;
    ++graphs;
    INFO(entry.path().filename());
    const auto read = read_topology(entry.path());
    if (!read) FAIL(read.error().message);
    CHECK(read->assumptions.empty());
    std::set<std::string_view> names;
    for (const Node& node : read->topology.nodes()) names.insert(node.name);
    CHECK(names.size() == read->topology.node_count());
    for (int number = 0; number < 5; ++number) {
      std::filesystem::path file = entry.path();
      file.replace_extension(".000" + std::to_string(number) + ".demands");
      const auto demands = read_demands(file, read->topology);
      if (!demands) FAIL(demands.error().message);
      CHECK(demands->total().bps() > 0.0);
      ++demand_sets;
    }
  }
  CHECK(graphs == 198);
  CHECK(demand_sets == 990);
}
