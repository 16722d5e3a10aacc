#include "core/io/graphml.h"

#include <map>
#include <optional>
#include <string>

namespace wan::io {
namespace {

/// What a node or edge attribute means to us.
enum class Meaning { kLabel, kLatitude, kLongitude, kLinkSpeedRaw };

struct Key {
  Meaning meaning;
  pugi::xml_node fallback;  // its <default>, if any
};

using Keys = std::map<std::string, Key, std::less<>>;  // by id

std::optional<Meaning> node_meaning(std::string_view name) {
  if (name == "label") return Meaning::kLabel;
  if (name == "Latitude") return Meaning::kLatitude;
  if (name == "Longitude") return Meaning::kLongitude;
  return std::nullopt;
}

std::optional<Meaning> edge_meaning(std::string_view name) {
  if (name == "LinkSpeedRaw") return Meaning::kLinkSpeedRaw;
  return std::nullopt;
}

/// The keys that apply to `domain` ("node" or "edge") and mean something to us.
Result<Keys> read_keys(const XmlSource& xml, std::string_view domain,
                       std::optional<Meaning> (*meaning_of)(std::string_view)) {
  Keys keys;
  for (const pugi::xml_node key : xml.root().children("key")) {
    const std::string_view applies_to = key.attribute("for").as_string("all");
    if (applies_to != domain && applies_to != "all") continue;
    const auto meaning = meaning_of(key.attribute("attr.name").value());
    if (!meaning) continue;
    if (!keys.emplace(key.attribute("id").value(), Key{*meaning, key.child("default")}).second) {
      return xml.fail_at(key, "key id ", in_quotes(key.attribute("id").value()), " appears twice");
    }
  }
  return keys;
}

/// The element that holds an attribute of `owner`: its own <data>, else the key's <default>, else nothing.
Result<pugi::xml_node> data_of(const XmlSource& xml, pugi::xml_node owner, const Keys& keys, Meaning wanted) {
  pugi::xml_node found;
  for (const pugi::xml_node data : owner.children("data")) {
    const auto key = keys.find(std::string_view{data.attribute("key").value()});
    if (key == keys.end() || key->second.meaning != wanted) continue;
    if (found) return xml.fail_at(data, "the same key appears twice");
    found = data;
  }
  if (found) return found;
  for (const auto& [id, key] : keys) {
    if (key.meaning == wanted && key.fallback) return key.fallback;
  }
  return found;
}

Result<std::optional<double>> number_of(const XmlSource& xml, pugi::xml_node owner, const Keys& keys, Meaning wanted) {
  const auto data = data_of(xml, owner, keys, wanted);
  if (!data) return error_of(data);
  if (!*data) return std::optional<double>{};
  const auto number = xml.number_of(*data);
  if (!number) return error_of(number);
  return std::optional<double>{*number};
}

/// Labels are for people: line breaks and runs of blanks inside them become one blank.
std::string one_blank_between_words(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      gap = !out.empty();
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

Result<void> read_node(const XmlSource& xml, pugi::xml_node node, const Keys& keys, TopologyDraft& draft) {
  if (node.child("graph")) return xml.fail_at(node, "a graph inside a node is not supported");
  const auto label = data_of(xml, node, keys, Meaning::kLabel);
  if (!label) return error_of(label);
  const auto text = *label ? xml.text_of(*label) : Result<std::string>{std::string{}};
  if (!text) return error_of(text);
  const auto latitude = number_of(xml, node, keys, Meaning::kLatitude);
  if (!latitude) return error_of(latitude);
  const auto longitude = number_of(xml, node, keys, Meaning::kLongitude);
  if (!longitude) return error_of(longitude);

  DraftNode drafted{.id = node.attribute("id").value(),
                    .label = one_blank_between_words(*text),
                    .location = {},
                    .offset = xml.offset(node)};
  if (*latitude && *longitude) drafted.location = GeoPoint{.latitude = **latitude, .longitude = **longitude};
  return draft.add_node(std::move(drafted));
}

/// Whether an edge leads one way only.
Result<bool> is_directed(const XmlSource& xml, pugi::xml_node edge, bool by_default) {
  const pugi::xml_attribute directed = edge.attribute("directed");
  if (!directed) return by_default;
  const std::string_view value = directed.value();
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return xml.fail_at(edge, "directed=", in_quotes(value), " is neither true nor false");
}

Result<void> read_edge(const XmlSource& xml, pugi::xml_node edge, const Keys& keys, bool directed_by_default,
                       std::size_t& zero_speeds, TopologyDraft& draft) {
  DraftLink link{};
  link.offset = xml.offset(edge);
  for (const auto& [attribute, end] : {std::pair{"source", &DraftLink::from}, std::pair{"target", &DraftLink::to}}) {
    const std::string_view id = edge.attribute(attribute).value();
    const auto node = draft.find_node(id);
    if (!node) return xml.fail_at(edge, "the edge's ", attribute, " ", in_quotes(id), " is not a node");
    link.*end = *node;
  }
  const auto directed = is_directed(xml, edge, directed_by_default);
  if (!directed) return error_of(directed);
  link.both_ways = !*directed;
  const auto speed = number_of(xml, edge, keys, Meaning::kLinkSpeedRaw);
  if (!speed) return error_of(speed);
  link.capacity_bps = *speed;
  if (link.capacity_bps == 0.0) {  // some maps write 0 where nobody knew
    link.capacity_bps.reset();
    ++zero_speeds;
  }
  return draft.add_link(link);
}

Result<bool> edges_are_directed(const XmlSource& xml, pugi::xml_node graph) {
  const std::string_view value = graph.attribute("edgedefault").value();
  if (value == "directed") return true;
  if (value == "undirected") return false;
  return xml.fail_at(graph, "edgedefault=", in_quotes(value), " is neither directed nor undirected");
}

}  // namespace

Result<TopologyFile> parse_graphml(const XmlSource& xml) {
  const auto graph = xml.child_of(xml.root(), "graph");
  if (!graph) return error_of(graph);
  const auto directed = edges_are_directed(xml, *graph);
  if (!directed) return error_of(directed);
  if (const pugi::xml_node hyperedge = graph->child("hyperedge")) {
    return xml.fail_at(hyperedge, "a hyperedge is not supported");
  }
  const auto node_keys = read_keys(xml, "node", node_meaning);
  if (!node_keys) return error_of(node_keys);
  const auto edge_keys = read_keys(xml, "edge", edge_meaning);
  if (!edge_keys) return error_of(edge_keys);

  TopologyDraft draft{xml.utf8()};
  for (const pugi::xml_node node : graph->children("node")) {
    if (auto read = read_node(xml, node, *node_keys, draft); !read) return error_of(read);
  }
  std::size_t zero_speeds = 0;
  for (const pugi::xml_node edge : graph->children("edge")) {
    if (auto read = read_edge(xml, edge, *edge_keys, *directed, zero_speeds, draft); !read) return error_of(read);
  }
  if (zero_speeds > 0) draft.assume("LinkSpeedRaw 0 of ", zero_speeds, " links taken as not given");
  return std::move(draft).finish();
}

}  // namespace wan::io
