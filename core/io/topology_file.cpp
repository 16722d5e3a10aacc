#include "core/io/topology_file.h"

#include <string>

#include "core/io/formats.h"
#include "core/io/graphml.h"
#include "core/io/number_text.h"
#include "core/io/sndlib.h"

namespace wan::io {
namespace {

Result<TopologyFile> parse_xml_topology(const TextSource& source) {
  const auto xml = XmlSource::open(source);
  if (!xml) return error_of(xml);
  const std::string_view root = xml->root().name();
  if (root == "graphml") return parse_graphml(*xml);
  if (root == "network") return parse_sndlib_network(*xml);
  return xml->fail_at(xml->root(), "root element ", in_quotes(root), " is neither GraphML's nor SNDlib's");
}

}  // namespace

Result<TopologyFile> read_topology(const std::filesystem::path& file) {
  const auto text = read_whole_file(file, kTextBytesMax);
  if (!text) return error_of(text);
  return parse_topology(*text, file.string());
}

Result<TopologyFile> parse_topology(std::string_view text, std::string_view name) {
  const auto source = TextSource::open(text, name, kTextBytesMax);
  if (!source) return error_of(source);
  const std::string_view start = trimmed(source->text().substr(0, 4096));
  if (start.starts_with("<")) return parse_xml_topology(*source);
  if (start.starts_with("{")) return parse_node_link_json(*source);
  if (start.starts_with("NODES")) return parse_repetita_graph(*source);
  return source->fail_at(source->text().find_first_not_of(" \t\r\n"),
                         "not a topology: GraphML, SNDlib XML, node-link JSON and REPETITA .graph are read");
}

Result<void> write_repetita_graph(const std::filesystem::path& file, const Topology& topology) {
  std::string out = joined("NODES ", topology.node_count(), "\nlabel x y\n");
  for (const Node& node : topology.nodes()) {
    if (node.name.empty() || node.name.find_first_of(" \t\r\n\v\f") != std::string::npos) {
      return fail(ErrorCode::kUnsupported, joined(file.string(), ": node name ", in_quotes(node.name),
                                                  " is empty or holds white space, which this format cannot write"));
    }
    const GeoPoint at = node.location.value_or(GeoPoint{});
    out += joined(node.name, " ", format_number(at.longitude), " ", format_number(at.latitude), "\n");
  }
  out += joined("\nEDGES ", topology.link_count(), "\nlabel src dest weight bw delay\n");
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    out += joined("edge_", l, " ", link.from.index(), " ", link.to.index(), " ", format_number(link.weight), " ",
                  format_number(link.capacity.bps(), 3), " ", format_number(static_cast<double>(link.delay.count()), 3),
                  "\n");
  }
  return write_whole_file(file, out);
}

}  // namespace wan::io
