#include "core/io/topology_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/io/topology_draft.h"
#include "tests/unit/core/format_samples.h"
#include "tests/unit/core/scratch_folder.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

TopologyFile parsed(std::string_view text) {
  auto file = parse_topology(text, "sample");
  if (!file) FAIL(file.error().message);
  return *std::move(file);
}

std::vector<std::string> node_names_of(const Topology& topology) {
  std::vector<std::string> names;
  for (const Node& node : topology.nodes()) names.push_back(node.name);
  return names;
}

std::vector<std::string> link_names_of(const Topology& topology) {
  std::vector<std::string> names;
  for (const Link& link : topology.links()) names.push_back(link.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("GraphML: labels, places, speeds, both directions, and what was assumed", "[io][graphml]") {
  const auto [topology, assumptions] = parsed(kGraphml);
  CHECK(node_names_of(topology) == Names{"Oslo#0", "Bergen", "Oslo#2", "7"});
  CHECK(link_names_of(topology) == Names{"Oslo#0>Bergen", "Bergen>Oslo#0", "Oslo#0>Bergen#2", "Bergen>Oslo#0#2",
                                         "Bergen>Oslo#2", "Oslo#2>Bergen", "Oslo#2>7", "7>Oslo#2"});
  CHECK(topology.nodes()[0].location == GeoPoint{.latitude = 59.91, .longitude = 10.75});
  CHECK(topology.nodes()[2].location == std::nullopt);
  CHECK(topology.links()[0].capacity == BitRate::mbps(2500));
  CHECK(topology.links()[1].capacity == BitRate::mbps(2500));
  CHECK(topology.links()[2].capacity == BitRate::gbps(10));
  CHECK(to_milliseconds(topology.links()[0].delay) == Approx(305.0 * 4.9e-3).epsilon(0.01));  // Oslo-Bergen: 305 km
  CHECK(topology.links()[4].delay == Duration{1'000'000});
  CHECK(topology.links()[0].weight == 1.0);
  CHECK(assumptions == Names{"1 link from a node to itself (the first at node \"7\") left out",
                             "capacity of 3 links not given: 10 Gbit/s assumed",
                             "delay of 2 links not given: 4.9 us/km of great-circle distance between the ends assumed",
                             "delay of 2 links not given, nor where both ends stand: 1 ms assumed",
                             "IGP weight of 4 links not given: 1 assumed"});
}

TEST_CASE("GraphML: directed graphs and edges keep their one direction", "[io][graphml]") {
  const auto directed = parsed(R"(<graphml><graph edgedefault="directed"><node id="a"/><node id="b"/>
    <edge source="a" target="b"/><edge source="b" target="a" directed="false"/></graph></graphml>)");
  CHECK(link_names_of(directed.topology) == Names{"a>b", "b>a", "a>b#2"});
}

TEST_CASE("GraphML: a key's default counts, a speed of 0 counts as not given", "[io][graphml]") {
  const auto [topology, assumptions] = parsed(
      R"(<graphml><key id="s" for="edge" attr.name="LinkSpeedRaw"><default>1000000</default></key>
    <graph edgedefault="directed"><node id="a"/><node id="b"/>
    <edge source="a" target="b"/><edge source="b" target="a"><data key="s">0</data></edge></graph></graphml>)");
  CHECK(topology.links()[0].capacity == BitRate::mbps(1));
  CHECK(topology.links()[1].capacity == BitRate::gbps(10));
  CHECK(assumptions.at(0) == "LinkSpeedRaw 0 of 1 links taken as not given");
}

TEST_CASE("GraphML: a label is one line of text, Latin-1 becomes UTF-8", "[io][graphml]") {
  const auto [topology, assumptions] = parsed(
      "<?xml version='1.0' encoding='ISO-8859-1'?>\n<graphml><key id='l' for='node' attr.name='label'/>"
      "<graph edgedefault='directed'><node id='0'><data key='l'>\n  Z\xFCrich &amp;\n  more </data></node><node "
      "id='1'/>"
      "<edge source='0' target='1'/></graph></graphml>");
  CHECK(node_names_of(topology) == Names{"Z\xC3\xBCrich & more", "1"});
}

TEST_CASE("REPETITA: everything is given, nothing assumed", "[io][repetita]") {
  const auto [topology, assumptions] = parsed(kRepetitaGraph);
  CHECK(assumptions.empty());
  CHECK(node_names_of(topology) == Names{"Oslo#0", "Bergen,Old_Town", "Oslo#2"});
  CHECK(topology.nodes()[1].location == GeoPoint{.latitude = 60.39, .longitude = 5.32});
  CHECK(topology.nodes()[2].location == std::nullopt);  // "0 0" stands for unknown
  CHECK(link_names_of(topology) == Names{"Oslo#0>Bergen,Old_Town", "Bergen,Old_Town>Oslo#0", "Bergen,Old_Town>Oslo#2",
                                         "Bergen,Old_Town>Oslo#2#2"});
  const Link& link = topology.links()[0];
  CHECK(link.weight == 3.0);
  CHECK(link.capacity == BitRate::kbps(2'500'000));
  CHECK(link.delay == Duration{1'500'000});
  CHECK(topology.links()[2].delay == Duration{500});
  CHECK(topology.links()[3].delay == Duration{0});
}

TEST_CASE("SNDlib: installed or largest module, one link each way", "[io][sndlib]") {
  const auto [topology, assumptions] = parsed(kSndlib);
  CHECK(node_names_of(topology) == Names{"Oslo", "Bergen", "Voss"});
  CHECK(link_names_of(topology) ==
        Names{"Oslo>Bergen", "Bergen>Oslo", "Bergen>Voss", "Voss>Bergen", "Voss>Oslo", "Oslo>Voss"});
  CHECK(topology.links()[0].capacity == BitRate::mbps(2500));
  CHECK(topology.links()[3].capacity == BitRate::mbps(622));
  CHECK(topology.links()[4].capacity == BitRate::gbps(10));
  CHECK(topology.nodes()[2].location == GeoPoint{.latitude = 60.63, .longitude = 6.42});
  CHECK(assumptions == Names{"direction of 3 links not given: one link each way assumed",
                             "capacity of 1 link not given: 10 Gbit/s assumed",
                             "delay of 3 links not given: 4.9 us/km of great-circle distance between the ends assumed",
                             "IGP weight of 3 links not given: 1 assumed"});
}

TEST_CASE("SNDlib: coordinates that are not geographical and a unit that is not stated", "[io][sndlib]") {
  std::string text{kSndlib};
  text.replace(text.find("geographical"), 12, "pixel");
  text.replace(text.find("<meta>"), 36, "");
  const auto [topology, assumptions] = parsed(text);
  CHECK(topology.nodes()[0].location == std::nullopt);
  CHECK(topology.links()[0].delay == Duration{1'000'000});
  CHECK(topology.links()[0].capacity == BitRate::mbps(2500));
  CHECK(assumptions.at(0) == "coordinates of 3 nodes are not geographical: not used");
  CHECK(assumptions.at(2) == "unit of capacities not given: Mbit/s assumed");
}

TEST_CASE("node-link JSON: ids as text, directions and parallel links kept", "[io][node_link]") {
  const auto [topology, assumptions] = parsed(kNodeLink);
  CHECK(node_names_of(topology) == Names{"0", "west", "10"});
  CHECK(link_names_of(topology) == Names{"0>west", "west>0", "10>0", "0>west#2"});
  CHECK(topology.links()[0].capacity == BitRate::mbps(2500));
  CHECK(topology.links()[2].capacity == BitRate::gbps(10));
  CHECK(assumptions == Names{"unit of capacities not given: Mbit/s assumed",
                             "capacity of 1 link not given: 10 Gbit/s assumed",
                             "delay of 4 links not given, nor where both ends stand: 1 ms assumed",
                             "IGP weight of 4 links not given: 1 assumed"});
}

TEST_CASE("node-link JSON: undirected links go both ways, whatever the order of keys", "[io][node_link]") {
  const auto file =
      parsed(R"({"edges": [{"source": 1, "target": 2}], "nodes": [{"id": 2}, {"id": 1}], "directed": false})");
  CHECK(link_names_of(file.topology) == Names{"1>2", "2>1"});
}

TEST_CASE("names stay distinct however labels, ids and links collide", "[io]") {
  const auto named = [](const std::vector<std::pair<std::string, std::string>>& ids_and_labels) {
    std::vector<DraftNode> nodes;
    for (const auto& [id, label] : ids_and_labels)
      nodes.push_back({.id = id, .label = label, .location = {}, .offset = 0});
    return node_names(nodes).value();
  };
  CHECK(named({{"0", "a"}, {"1", "b"}}) == Names{"a", "b"});
  CHECK(named({{"0", "a"}, {"1", "a"}, {"2", ""}}) == Names{"a#0", "a#1", "2"});
  CHECK(named({{"0", "a"}, {"1", "a"}, {"2", "a#1"}}) == Names{"a#0", "a#1#1", "a#1#2"});
  CHECK(named({{"0", "1"}, {"1", ""}}) == Names{"1#0", "1#1"});

  const std::vector<Node> nodes{
      {.name = "A", .location = {}}, {.name = "B", .location = {}}, {.name = "B#2", .location = {}}};
  std::vector<Link> links(3);
  links[0].to = NodeId{2};
  links[1].to = NodeId{1};
  links[2].to = NodeId{1};
  name_links(nodes, links);
  CHECK(links[0].name == "A>B#2");
  CHECK(links[1].name == "A>B");
  CHECK(links[2].name == "A>B#3");
}

TEST_CASE("a .graph that is written is read back as the same network", "[io][repetita]") {
  const ScratchFolder folder;
  for (const std::string_view text : {kRepetitaGraph, kNodeLink, kSndlib}) {
    const Topology topology = parsed(text).topology;
    REQUIRE(write_repetita_graph(folder / "out.graph", topology));
    const auto back = read_topology(folder / "out.graph");
    REQUIRE(back);
    CHECK(back->topology.digest() == topology.digest());
    CHECK(std::equal(back->topology.nodes().begin(), back->topology.nodes().end(), topology.nodes().begin(),
                     topology.nodes().end()));
    CHECK(std::equal(back->topology.links().begin(), back->topology.links().end(), topology.links().begin(),
                     topology.links().end()));
  }
}

TEST_CASE("a .graph cannot hold names with blanks, nor a folder be written", "[io][repetita]") {
  const ScratchFolder folder;
  Link link;
  link.name = "x";
  link.to = NodeId{1};
  link.capacity = BitRate::gbps(1);
  const auto topology = Topology::make({{.name = "New York", .location = {}}, {.name = "B", .location = {}}}, {link});
  const auto blank = write_repetita_graph(folder / "out.graph", topology.value());
  REQUIRE_FALSE(blank);
  CHECK(blank.error().code == ErrorCode::kUnsupported);
  const auto refused = write_repetita_graph(folder.path(), parsed(kRepetitaGraph).topology);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIo);
}

TEST_CASE("files that cannot be read say why", "[io]") {
  const ScratchFolder folder;
  const auto absent = read_topology(folder / "absent.graph");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
  CHECK_THAT(absent.error().message, Catch::EndsWith("absent.graph: no such file"));
  const auto directory = read_topology(folder.path());
  REQUIRE_FALSE(directory);
  CHECK(directory.error().code == ErrorCode::kIo);
  CHECK_THAT(directory.error().message, Catch::EndsWith(": is a folder, not a file"));
}
