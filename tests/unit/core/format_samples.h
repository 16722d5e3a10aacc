#pragma once

#include <string_view>

// One small, complete and made-up file of each format: what the readers' tests start from and spoil.
namespace wan::test {

inline constexpr std::string_view kGraphml = R"(<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="d3" />
  <key attr.name="Latitude" attr.type="double" for="node" id="d0" />
  <key attr.name="Longitude" attr.type="double" for="node" id="d1" />
  <key attr.name="label" attr.type="string" for="node" id="d2" />
  <key attr.name="label" attr.type="string" for="graph" id="d4" />
  <graph edgedefault="undirected">
    <data key="d4">Made-up net</data>
    <node id="0"><data key="d2">Oslo</data><data key="d0">59.91</data><data key="d1">10.75</data></node>
    <node id="1"><data key="d2">Bergen</data><data key="d0">60.39</data><data key="d1">5.32</data></node>
    <node id="2"><data key="d2">Oslo</data></node>
    <node id="7"></node>
    <edge source="0" target="1"><data key="d3">2500000000.0</data></edge>
    <edge source="0" target="1" />
    <edge source="1" target="2" />
    <edge source="2" target="7" />
    <edge source="7" target="7" />
  </graph>
</graphml>
)";

inline constexpr std::string_view kRepetitaGraph = R"(NODES 3
label x y
Oslo 10.75 59.91
Bergen,Old_Town 5.32 60.39
Oslo 0.0 0.0

EDGES 4
label src dest weight bw delay
edge_0 0 1 3 2500000 1500
edge_1 1 0 3 2500000 1500
edge_2 1 2 1 10000000 0.5
edge_3 1 2 1 10000000 0
)";

inline constexpr std::string_view kRepetitaDemands = R"(DEMANDS 3
label src dest bw
demand_0 0 1 1000
demand_1 1 2 2000
demand_2 0 1 500
)";

inline constexpr std::string_view kSndlib = R"(<?xml version="1.0" encoding="ISO-8859-1"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0">
 <meta><unit>MBITPERSEC</unit></meta>
 <networkStructure>
  <nodes coordinatesType="geographical">
   <node id="Oslo"><coordinates><x>10.75</x><y>59.91</y></coordinates></node>
   <node id="Bergen"><coordinates><x>5.32</x><y>60.39</y></coordinates></node>
   <node id="Voss"><coordinates><x>6.42</x><y>60.63</y></coordinates></node>
  </nodes>
  <links>
   <link id="L1"><source>Oslo</source><target>Bergen</target>
    <preInstalledModule><capacity>2500.0</capacity><cost>0.0</cost></preInstalledModule>
    <additionalModules><addModule><capacity>40000.0</capacity><cost>1.0</cost></addModule></additionalModules>
   </link>
   <link id="L2"><source>Bergen</source><target>Voss</target>
    <preInstalledModule><capacity>0.0</capacity><cost>0.0</cost></preInstalledModule>
    <additionalModules>
     <addModule><capacity>155.0</capacity><cost>1.0</cost></addModule>
     <addModule><capacity>622.0</capacity><cost>2.0</cost></addModule>
    </additionalModules>
   </link>
   <link id="L3"><source>Voss</source><target>Oslo</target></link>
  </links>
 </networkStructure>
 <demands>
  <demand id="D1"><source>Oslo</source><target>Voss</target><routingUnit>2</routingUnit>
   <demandValue>10.5</demandValue></demand>
  <demand id="D2"><source>Oslo</source><target>Voss</target><demandValue>4</demandValue></demand>
  <demand id="D3"><source>Voss</source><target>Bergen</target><demandValue>0.0</demandValue></demand>
 </demands>
</network>
)";

inline constexpr std::string_view kNodeLink =
    R"({"directed": true, "multigraph": false, "graph": {"name": ["any", {"thing": 1}]},
 "nodes": [{"id": 0}, {"id": "west", "pos": [1, 2]}, {"id": 10}],
 "links": [{"capacity": 2500.0, "source": 0, "target": "west"},
           {"source": "west", "target": 0, "capacity": 100},
           {"source": 10, "target": 0},
           {"source": "0", "target": "west", "capacity": 1e3}]}
)";

/// For networks with nodes A, B and C.
inline constexpr std::string_view kTrafficCsv =
    "time,A>B,\"B>C\",C>A\r\n"
    "2004-03-01T00:00:00Z,1.5,\"0\",0.25\r\n"
    "2004-03-01T00:05:00Z,2,1e1,0\r\n";

}  // namespace wan::test
