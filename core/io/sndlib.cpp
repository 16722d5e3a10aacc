#include "core/io/sndlib.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/io/formats.h"

namespace wan::io {
namespace {

struct Unit {
  int decimal_shift = 6;  // the power of ten that makes bit/s of it
  bool stated = false;
};

Result<Unit> read_unit(const XmlSource& xml) {
  const pugi::xml_node unit = xml.root().child("meta").child("unit");
  if (!unit) return Unit{};
  const auto text = xml.text_of(unit);
  if (!text) return error_of(text);
  if (*text == "BITPERSEC") return Unit{.decimal_shift = 0, .stated = true};
  if (*text == "KBITPERSEC") return Unit{.decimal_shift = 3, .stated = true};
  if (*text == "MBITPERSEC") return Unit{.decimal_shift = 6, .stated = true};
  if (*text == "GBITPERSEC") return Unit{.decimal_shift = 9, .stated = true};
  return xml.fail_at(unit, "unit ", in_quotes(*text),
                     " is not read: BITPERSEC, KBITPERSEC, MBITPERSEC or GBITPERSEC are");
}

Result<std::optional<GeoPoint>> read_location(const XmlSource& xml, pugi::xml_node node) {
  const pugi::xml_node coordinates = node.child("coordinates");
  if (!coordinates) return std::optional<GeoPoint>{};
  const auto x = xml.child_of(coordinates, "x");
  if (!x) return error_of(x);
  const auto y = xml.child_of(coordinates, "y");
  if (!y) return error_of(y);
  const auto longitude = xml.number_of(*x);
  if (!longitude) return error_of(longitude);
  const auto latitude = xml.number_of(*y);
  if (!latitude) return error_of(latitude);
  return std::optional{GeoPoint{.latitude = *latitude, .longitude = *longitude}};
}

Result<void> read_nodes(const XmlSource& xml, pugi::xml_node nodes, TopologyDraft& draft) {
  const bool geographical = std::string_view{nodes.attribute("coordinatesType").value()} == "geographical";
  std::size_t unused = 0;
  for (const pugi::xml_node node : nodes.children("node")) {
    auto location = read_location(xml, node);
    if (!location) return error_of(location);
    if (*location && !geographical) {
      location->reset();
      ++unused;
    }
    auto added = draft.add_node({.id = std::string{trimmed(node.attribute("id").value())},
                                 .label = {},
                                 .location = *location,
                                 .offset = xml.offset(node)});
    if (!added) return error_of(added);
  }
  if (unused > 0) draft.assume("coordinates of ", unused, " nodes are not geographical: not used");
  return {};
}

/// A capacity child of one module; below zero is an error, zero counts as none.
Result<double> module_capacity(const XmlSource& xml, pugi::xml_node module, int decimal_shift) {
  const auto element = xml.child_of(module, "capacity");
  if (!element) return error_of(element);
  const auto capacity = xml.number_of(*element, decimal_shift);
  if (!capacity) return error_of(capacity);
  if (*capacity < 0.0) return xml.fail_at(*element, "a capacity below zero");
  return *capacity;
}

/// The installed capacity, else the largest that may be added; nothing where no module is above zero.
Result<std::optional<double>> read_capacity(const XmlSource& xml, pugi::xml_node link, int decimal_shift) {
  if (const pugi::xml_node installed = link.child("preInstalledModule")) {
    const auto capacity = module_capacity(xml, installed, decimal_shift);
    if (!capacity) return error_of(capacity);
    if (*capacity > 0.0) return std::optional{*capacity};
  }
  double largest = 0.0;
  for (const pugi::xml_node module : link.child("additionalModules").children("addModule")) {
    const auto capacity = module_capacity(xml, module, decimal_shift);
    if (!capacity) return error_of(capacity);
    largest = std::max(largest, *capacity);
  }
  return largest > 0.0 ? std::optional{largest} : std::optional<double>{};
}

/// The text of <source> or <target>.
Result<std::string> read_end(const XmlSource& xml, pugi::xml_node owner, const char* child) {
  const auto element = xml.child_of(owner, child);
  if (!element) return error_of(element);
  return xml.text_of(*element);
}

Result<void> read_link(const XmlSource& xml, pugi::xml_node element, int decimal_shift, TopologyDraft& draft) {
  DraftLink link{};
  link.both_ways = true;
  link.offset = xml.offset(element);
  for (const auto& [child, end] : {std::pair{"source", &DraftLink::from}, std::pair{"target", &DraftLink::to}}) {
    const auto id = read_end(xml, element, child);
    if (!id) return error_of(id);
    const auto node = draft.find_node(*id);
    if (!node) return xml.fail_at(element.child(child), "the link's ", child, " ", in_quotes(*id), " is not a node");
    link.*end = *node;
  }
  const auto capacity = read_capacity(xml, element, decimal_shift);
  if (!capacity) return error_of(capacity);
  link.capacity_bps = *capacity;
  return draft.add_link(link);
}

/// By name, for lookups only.
std::unordered_map<std::string, NodeId> nodes_by_name(const Topology& topology) {
  std::unordered_map<std::string, NodeId> by_name;
  for (std::size_t n = 0; n < topology.node_count(); ++n) by_name.emplace(topology.nodes()[n].name, NodeId{n});
  return by_name;
}

/// Traffic of one demand: its value in multiples of its routing unit, which is 1 where absent.
Result<double> read_demand_bps(const XmlSource& xml, pugi::xml_node demand, int decimal_shift) {
  const auto element = xml.child_of(demand, "demandValue");
  if (!element) return error_of(element);
  const auto value = xml.number_of(*element, decimal_shift);
  if (!value) return error_of(value);
  const pugi::xml_node routing_unit = demand.child("routingUnit");
  if (!routing_unit) return *value;
  const auto multiple = xml.number_of(routing_unit);
  if (!multiple) return error_of(multiple);
  if (*multiple < 0.0) return xml.fail_at(routing_unit, "a routing unit below zero");
  return *value * *multiple;
}

}  // namespace

Result<TopologyFile> parse_sndlib_network(const XmlSource& xml) {
  const auto unit = read_unit(xml);
  if (!unit) return error_of(unit);
  const auto structure = xml.child_of(xml.root(), "networkStructure");
  if (!structure) return error_of(structure);
  const auto nodes = xml.child_of(*structure, "nodes");
  if (!nodes) return error_of(nodes);
  const auto links = xml.child_of(*structure, "links");
  if (!links) return error_of(links);

  TopologyDraft draft{xml.utf8()};
  if (auto read = read_nodes(xml, *nodes, draft); !read) return error_of(read);
  for (const pugi::xml_node link : links->children("link")) {
    if (auto read = read_link(xml, link, unit->decimal_shift, draft); !read) return error_of(read);
  }
  draft.assume("direction of ", draft.drawn_links(), " links not given: one link each way assumed");
  if (!unit->stated) draft.assume("unit of capacities not given: Mbit/s assumed");
  return std::move(draft).finish();
}

Result<TrafficMatrix> parse_sndlib_demands(const XmlSource& xml, const Topology& topology) {
  const auto unit = read_unit(xml);
  if (!unit) return error_of(unit);
  const auto demands = xml.child_of(xml.root(), "demands");
  if (!demands) return error_of(demands);
  auto matrix = empty_matrix(xml.utf8(), topology);
  if (!matrix) return error_of(matrix);

  const auto by_name = nodes_by_name(topology);
  std::size_t count = 0;
  for (const pugi::xml_node demand : demands->children("demand")) {
    NodeId ends[2];
    for (const std::size_t e : {0U, 1U}) {
      const char* const child = e == 0 ? "source" : "target";
      const auto name = read_end(xml, demand, child);
      if (!name) return error_of(name);
      const auto node = by_name.find(*name);
      if (node == by_name.end()) {
        return xml.fail_at(demand.child(child), "node ", in_quotes(*name), " is not in the topology");
      }
      ends[e] = node->second;
    }
    const auto bps = read_demand_bps(xml, demand, unit->decimal_shift);
    if (!bps) return error_of(bps);
    if (auto added = add_demand(xml.utf8(), xml.offset(demand), ends[0], ends[1], *bps, *matrix); !added) {
      return error_of(added);
    }
    ++count;
  }
  if (count == 0) return xml.fail_at(*demands, "holds no demand");
  return *std::move(matrix);
}

}  // namespace wan::io
