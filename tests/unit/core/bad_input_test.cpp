#include <catch2/catch.hpp>
#include <functional>

#include "core/io/demand_file.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "tests/unit/core/format_samples.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

/// A sample with one thing changed, and the whole message that this must give.
struct Case {
  std::string what;  ///< empty: the text is `by` alone
  std::string by;
  std::string message;
};

std::string spoiled(std::string_view sample, const Case& wrong) {
  if (wrong.what.empty()) return wrong.by;
  std::string text{sample};
  const std::size_t at = text.find(wrong.what);
  if (at == std::string::npos) FAIL("the sample does not hold " << wrong.what);
  return text.replace(at, wrong.what.size(), wrong.by);
}

void check_refused(std::string_view sample, const std::vector<Case>& cases,
                   const std::function<std::optional<Error>(std::string_view)>& parse) {
  REQUIRE_FALSE(parse(sample).has_value());
  for (const Case& wrong : cases) {
    INFO("\"" << wrong.what << "\" -> \"" << wrong.by << "\"");
    const auto error = parse(spoiled(sample, wrong));
    REQUIRE(error.has_value());
    CHECK(error->code == ErrorCode::kBadInput);
    CHECK(error->message == wrong.message);
  }
}

template <typename T>
std::optional<Error> error_in(const Result<T>& result) {
  return result ? std::nullopt : std::optional{result.error()};
}

std::optional<Error> topology_error(std::string_view text) { return error_in(parse_topology(text, "f")); }

/// The sample up to and including what is named.
std::string up_to(std::string_view sample, std::string_view what) {
  return std::string{sample.substr(0, sample.find(what) + what.size())};
}

}  // namespace

TEST_CASE("what is no topology at all is refused", "[io][bad]") {
  check_refused(
      kRepetitaGraph,
      {{"", "", "f:1: the file is empty"},
       {"", " \r\n\n", "f:1: the file is empty"},
       {"", "hello\n", "f:1: not a topology: GraphML, SNDlib XML, node-link JSON and REPETITA .graph are read"},
       {"", "\n\n[1, 2]", "f:3: not a topology: GraphML, SNDlib XML, node-link JSON and REPETITA .graph are read"},
       {"", std::string("NODES 1\n\0", 9), "f:2: a NUL byte: this is not a text file"},
       {"", "<html></html>", "f:1: root element \"html\" is neither GraphML's nor SNDlib's"}},
      topology_error);
}

TEST_CASE("bad REPETITA graphs are refused with their line", "[io][bad]") {
  check_refused(
      kRepetitaGraph,
      {{"NODES 3", "NODES", "f:1: expected \"NODES COUNT\", found \"NODES\""},
       {"NODES 3", "NODES three", "f:1: \"three\" is no number of rows"},
       {"NODES 3", "NODES -3", "f:1: \"-3\" is no number of rows"},
       {"NODES 3", "NODES 4000000000", "f:1: 4000000000 rows; at most 10000 are read"},
       {"NODES 3", "NODES 99999999999999999999999", "f:1: \"99999999999999999999999\" is no number of rows"},
       {"NODES 3", "NODES 2", "f:5: expected \"EDGES COUNT\", found \"Oslo\""},
       {"NODES 3", "NODES 4", "f:7: node row 3 of 4 needs 3 fields and has 2"},
       {"label x y", "id x y", "f:2: expected the columns \"label x y\""},
       {"Oslo 10.75 59.91", "Oslo 10.75", "f:3: node row 0 of 3 needs 3 fields and has 2"},
       {"Oslo 10.75 59.91", "Oslo City 10.75 59.91", "f:3: node row 0 of 3 needs 3 fields and has 4"},
       {"10.75", "nan", "f:3: coordinate \"nan\" is not a finite number"},
       {"59.91", "59,91", "f:3: coordinate \"59,91\" is not a finite number"},
       {"Oslo 10", "Os\x01lo 10", "f:3: node name \"Os\\x01lo\" holds a control character"},
       {"Oslo 10", "Os\xFFlo 10", "f:3: node name \"Os\\xfflo\" is not UTF-8"},
       {"EDGES 4", "EDGES 5", "f:12: the file ends after 4 of 5 edge rows"},
       {"EDGES 4", "EDGES 3", "f:12: \"edge_3\" after the last row that the count announces"},
       {"EDGES 4", "EDGES 1000000000", "f:7: 1000000000 rows; at most 200000 are read"},
       {"edge_0 0 1 3", "edge_0 0 3 3", "f:9: node \"3\" does not exist: there are 3, counted from 0"},
       {"edge_0 0 1 3", "edge_0 -1 1 3", "f:9: node \"-1\" does not exist: there are 3, counted from 0"},
       {"edge_0 0 1 3", "edge_0 0 1 0", "f:9: a link's weight must be above 0 and at most 1e12"},
       {"edge_0 0 1 3", "edge_0 0 1 x", "f:9: weight \"x\" is not a finite number"},
       {"2500000 1500", "-2500000 1500", "f:9: a link's capacity must lie between 1 bit/s and 1e18 bit/s"},
       {"2500000 1500", "0 1500", "f:9: a link's capacity must lie between 1 bit/s and 1e18 bit/s"},
       {"2500000 1500", "inf 1500", "f:9: bw \"inf\" is not a finite number"},
       {"2500000 1500", "2500000 -1", "f:9: a link's delay must lie between 0 and an hour"},
       {"2500000 1500", "2500000 1e300", "f:9: a link's delay must lie between 0 and an hour"},
       {"2500000 1500", "2500000 1500 7", "f:9: edge row 0 of 4 needs 6 fields and has more"},
       {"2500000 1500", "2500000", "f:9: edge row 0 of 4 needs 6 fields and has 5"},
       {"", up_to(kRepetitaGraph, "label x y\n"), "f:2: the file ends after 0 of 3 node rows"},
       {"", "NODES 0\nlabel x y\nEDGES 0\nlabel src dest weight bw delay\n", "f:1: the network has no nodes"},
       {"", "NODES 1\nlabel x y\na 0 0\nEDGES 0\nlabel src dest weight bw delay\n", "f:1: the network has no links"}},
      topology_error);
}

TEST_CASE("bad GraphML is refused with its line", "[io][bad]") {
  check_refused(
      kGraphml,
      {{"", up_to(kGraphml, "<node id=\"1\">"), "f:11: not well-formed XML: Start-end tags mismatch"},
       {"", std::string{kGraphml} + "<graphml/>", "f:21: a second root element"},
       {"</graph>\n", "", "f:19: not well-formed XML: Start-end tags mismatch"},
       {"utf-8", "utf-16", "f:1: encoding \"utf-16\" is not read: only UTF-8 and ISO-8859-1 are"},
       {"edgedefault=\"undirected\"", "", "f:8: edgedefault=\"\" is neither directed nor undirected"},
       {"node id=\"1\"", "node id=\"0\"", "f:11: node id \"0\" appears twice"},
       {"node id=\"1\"", "node", "f:11: a node has an empty id"},
       {"<edge source=\"0\" target=\"1\" />", "<edge source=\"0\" target=\"9\" />",
        "f:15: the edge's target \"9\" is not a node"},
       {"<edge source=\"0\" target=\"1\" />", "<edge target=\"1\" />", "f:15: the edge's source \"\" is not a node"},
       {"<edge source=\"1\"", "<edge directed=\"maybe\" source=\"1\"",
        "f:16: directed=\"maybe\" is neither true nor false"},
       {"2500000000.0", "fast", "f:14: <data> \"fast\" is not a finite number"},
       {"2500000000.0", "-1", "f:14: a link's capacity must lie between 1 bit/s and 1e18 bit/s"},
       {"2500000000.0", "NaN", "f:14: <data> \"NaN\" is not a finite number"},
       {"2500000000.0", "1<b/>2", "f:14: <data> must hold text only"},
       {"59.91", "", "f:10: <data> \"\" is not a finite number"},
       {"id=\"d1\" />", "id=\"d0\" />", "f:5: key id \"d0\" appears twice"},
       {"<data key=\"d2\">Bergen</data>", "<data key=\"d2\">a</data><data key=\"d2\">b</data>",
        "f:11: the same key appears twice"},
       {"<node id=\"7\"></node>", "<node id=\"7\"><graph/></node>", "f:13: a graph inside a node is not supported"},
       {"<node id=\"7\"></node>", "<node id=\"7\"></node><hyperedge/>", "f:13: a hyperedge is not supported"},
       {"", "<graphml></graphml>", "f:1: <graphml> lacks <graph>"},
       {"", "<graphml>\n<graph edgedefault='directed'/>\n<graph/></graphml>", "f:3: <graphml> has a second <graph>"}},
      topology_error);
}

TEST_CASE("bad SNDlib networks are refused with their line", "[io][bad]") {
  check_refused(
      kSndlib,
      {{"MBITPERSEC", "STM1", "f:3: unit \"STM1\" is not read: BITPERSEC, KBITPERSEC, MBITPERSEC or GBITPERSEC are"},
       {"<node id=\"Voss\"", "<node id=\"Oslo\"", "f:8: node id \"Oslo\" appears twice"},
       {"<x>10.75</x>", "", "f:6: <coordinates> lacks <x>"},
       {"<x>10.75</x>", "<x>1</x><x>2</x>", "f:6: <coordinates> has a second <x>"},
       {"<x>10.75</x>", "<x>east</x>", "f:6: <x> \"east\" is not a finite number"},
       {"<source>Oslo</source>", "<source>Osl</source>", "f:11: the link's source \"Osl\" is not a node"},
       {"<source>Oslo</source>", "", "f:11: <link> lacks <source>"},
       {"<capacity>2500.0</capacity>", "<capacity>-2500.0</capacity>", "f:12: a capacity below zero"},
       {"<capacity>2500.0</capacity>", "", "f:12: <preInstalledModule> lacks <capacity>"},
       {"<capacity>2500.0</capacity>", "<capacity>1e300</capacity>",
        "f:11: a link's capacity must lie between 1 bit/s and 1e18 bit/s"},
       {"", "<network><networkStructure><nodes/></networkStructure></network>",
        "f:1: <networkStructure> lacks <links>"},
       {"", "<network><networkStructure><nodes/><links/></networkStructure></network>",
        "f:1: the network has no nodes"}},
      topology_error);
}

TEST_CASE("bad node-link JSON is refused with its line", "[io][bad]") {
  const std::string deep(100'000, '[');
  check_refused(
      kNodeLink,
      {{"", up_to(kNodeLink, "{\"id\": 10}"),
        "f:2: malformed JSON near \" [1, 2]}, {\"id\": 10}\": syntax error while parsing array - unexpected end of "
        "input; expected ']'"},
       {"true", "yes",
        "f:1: malformed JSON near \"{\"directed\": y\": syntax error while parsing value - invalid literal"},
       {"true", "1", "f:1: a value of the wrong type"},
       {"\"directed\": true, ", "", "f:6: \"directed\" is missing"},
       {"\"nodes\"", "\"knots\"", "f:6: \"nodes\" is missing"},
       {"\"multigraph\"", "\"directed\"", "f:1: key \"directed\" appears twice"},
       {"{\"id\": 0}", "{}", "f:2: a node without \"id\""},
       {"{\"id\": 0}", "{\"id\": 0.5}", "f:2: a node's id must be text or a whole number from 0 up"},
       {"{\"id\": 0}", "{\"id\": -1}", "f:2: a node's id must be text or a whole number from 0 up"},
       {"{\"id\": 0}", "{\"id\": \"10\"}", "f:2: node id \"10\" appears twice"},
       {"{\"id\": 0}", "0", "f:2: a value of the wrong type"},
       {"{\"id\": 0}", "{\"id\": {}}", "f:2: an object where none belongs"},
       {"\"source\": 10, ", "", "f:5: a link without \"source\""},
       {"\"source\": 10", "\"source\": 11", "f:5: a link ends at \"11\", which is not a node"},
       {"2500.0", "-1", "f:3: a link's capacity must lie between 1 bit/s and 1e18 bit/s"},
       {"2500.0", "null", "f:3: a link's capacity must be a number, in Mbit/s"},
       {"2500.0", "NaN",
        "f:3: malformed JSON near \"ks\": [{\"capacity\": N\": syntax error while parsing value - invalid literal"},
       {"2500.0", "1e999", "f:3: malformed JSON near \" [{\"capacity\": 1e999\": number overflow parsing '1e999'"},
       {"[\"any\", {\"thing\": 1}]", deep, "f:1: nested over 64 levels deep"},
       {"]}\n", "]} x\n",
        "f:6: malformed JSON near \"\"capacity\": 1e3}]} x\": syntax error while parsing value - invalid literal; "
        "expected end of input"},
       {"", "{\"directed\": true, \"nodes\": [], \"links\": []}", "f:1: the network has no nodes"}},
      topology_error);
}

TEST_CASE("bad demands are refused with their line", "[io][bad]") {
  const Topology four = diamond();
  check_refused(kRepetitaDemands,
                {{"", "", "f:1: the file is empty"},
                 {"", "hello", "f:1: not demands: REPETITA .demands and SNDlib XML are read"},
                 {"", "<graphml/>", "f:1: root element \"graphml\" is not SNDlib's"},
                 {"DEMANDS 3", "DEMANDS 4", "f:5: the file ends after 3 of 4 demand rows"},
                 {"DEMANDS 3", "DEMANDS 2", "f:5: \"demand_2\" after the last row that the count announces"},
                 {"DEMANDS 3", "DEMANDS 4000000000", "f:1: 4000000000 rows; at most 10000000 are read"},
                 {"", "DEMANDS 0\nlabel src dest bw\n", "f:1: holds no demand"},
                 {"", "DEMANDS 1\nlabel src dest bw\n", "f:2: the file ends after 0 of 1 demand rows"},
                 {"0 1 1000", "0 1", "f:3: demand row 0 of 3 needs 4 fields and has 3"},
                 {"0 1 1000", "0 1 1000 1", "f:3: demand row 0 of 3 needs 4 fields and has 5"},
                 {"0 1 1000", "0 4 1000", "f:3: node \"4\" does not exist: there are 4, counted from 0"},
                 {"0 1 1000", "0 0 1000", "f:3: a demand from a node to itself"},
                 {"0 1 1000", "0 1 -1000", "f:3: a demand must lie between 0 and 1e18 bit/s"},
                 {"0 1 1000", "0 1 nan", "f:3: bw \"nan\" is not a finite number"},
                 {"0 1 1000", "0 1 1e16", "f:3: a demand must lie between 0 and 1e18 bit/s"}},
                [&](std::string_view text) { return error_in(parse_demands(text, "f", four)); });

  const auto sndlib = parse_topology(kSndlib, "s");
  REQUIRE(sndlib);
  check_refused(kSndlib,
                {{"<demandValue>10.5</demandValue>", "", "f:26: <demand> lacks <demandValue>"},
                 {"10.5", "-10.5", "f:26: a demand must lie between 0 and 1e18 bit/s"},
                 {"10.5", "many", "f:27: <demandValue> \"many\" is not a finite number"},
                 {"<routingUnit>2", "<routingUnit>-2", "f:26: a routing unit below zero"},
                 {"<target>Voss</target><routingUnit>", "<target>Vos</target><routingUnit>",
                  "f:26: node \"Vos\" is not in the topology"},
                 {"<target>Voss</target><routingUnit>", "<target>Oslo</target><routingUnit>",
                  "f:26: a demand from a node to itself"},
                 {"", "<network><demands></demands></network>", "f:1: holds no demand"},
                 {"", "<network></network>", "f:1: <network> lacks <demands>"}},
                [&](std::string_view text) { return error_in(parse_demands(text, "f", sndlib->topology)); });
}

TEST_CASE("bad traffic series are refused with their line", "[io][bad]") {
  const Topology triangle = network(3, {{0, 1}, {1, 2}, {2, 0}});
  const std::string long_name(1000, 'x');
  check_refused(kTrafficCsv,
                {{"", "", "f:1: the file is empty"},
                 {"", "time,A>B\n", "f:1: holds a header but no row"},
                 {"", "time\n1\n", "f:1: the header names no SRC>DST pair"},
                 {"time", "Time", "f:1: the first column must be \"time\", not \"Time\""},
                 {"A>B", "A>Z", "f:1: column 2, \"A>Z\", is not SRC>DST of two nodes of the topology"},
                 {"A>B", "A-B", "f:1: column 2, \"A-B\", is not SRC>DST of two nodes of the topology"},
                 {"A>B", "", "f:1: column 2, \"\", is not SRC>DST of two nodes of the topology"},
                 {"A>B", "A>A", "f:1: column 2, \"A>A\", leads from a node to itself"},
                 {"C>A", "A>B", "f:1: column 4, \"A>B\", appears twice"},
                 {"A>B", long_name,
                  "f:1: column 2, \"" + long_name.substr(0, 60) + "...\", is not SRC>DST of two nodes of the topology"},
                 {"\"0\",0.25", "0", "f:2: a row of 3 fields under a header of 4"},
                 {"0.25", "0.25,1", "f:2: a row of over 4 fields under a header of 4"},
                 {"0.25", "", "f:2: column 4: \"\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"0.25", "-0.25", "f:2: column 4: \"-0.25\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"0.25", "nan", "f:2: column 4: \"nan\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"0.25", "inf", "f:2: column 4: \"inf\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"0.25", "1e13", "f:2: column 4: \"1e13\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"0.25", " 0.25", "f:2: column 4: \" 0.25\" is not a rate from 0 to 1e12 Mbit/s"},
                 {"00:05:00", "00:00:00", "f:3: time 2004-03-01T00:00:00Z is not after the row before"},
                 {"00:05:00", "0:05:00", "f:3: \"2004-03-01T0:05:00Z\" is not a time like 2004-03-01T00:00:00Z"},
                 {"\"0\"", "\"0", "f:2: a quoted field without closing quote"},
                 {"\"0\"", "\"0\"0", "f:2: text after the closing quote of a field"},
                 {"\"0\"", "0\"", "f:2: a quote inside a field that is not quoted"},
                 {"0.25\r\n", "0.25\r\n\r\n", "f:3: \"\" is not a time like 2004-03-01T00:00:00Z"},
                 {"0.25", "0.25\r", "f:2: column 4: \"0.25\\r\" is not a rate from 0 to 1e12 Mbit/s"}},
                [&](std::string_view text) { return error_in(parse_traffic_csv(text, "f", triangle)); });
}
