#include "core/io/demand_file.h"

#include <string>

#include "core/io/formats.h"
#include "core/io/sndlib.h"
#include "core/io/topology_draft.h"

namespace wan::io {

Result<TrafficMatrix> read_demands(const std::filesystem::path& file, const Topology& topology) {
  const auto text = read_whole_file(file, kTextBytesMax);
  if (!text) return error_of(text);
  return parse_demands(*text, file.string(), topology);
}

Result<TrafficMatrix> parse_demands(std::string_view text, std::string_view name, const Topology& topology) {
  const auto source = TextSource::open(text, name, kTextBytesMax);
  if (!source) return error_of(source);
  const std::string_view start = trimmed(source->text().substr(0, 4096));
  if (start.starts_with("DEMANDS")) return parse_repetita_demands(*source, topology);
  if (!start.starts_with("<")) {
    return source->fail_at(source->text().find_first_not_of(" \t\r\n"),
                           "not demands: REPETITA .demands and SNDlib XML are read");
  }
  const auto xml = XmlSource::open(*source);
  if (!xml) return error_of(xml);
  if (std::string_view{xml->root().name()} != "network") {
    return xml->fail_at(xml->root(), "root element ", in_quotes(xml->root().name()), " is not SNDlib's");
  }
  return parse_sndlib_demands(*xml, topology);
}

Result<TrafficMatrix> empty_matrix(const TextSource& source, const Topology& topology) {
  const std::size_t n = topology.node_count();
  if (n * n * sizeof(double) > kMatrixBytesMax) {
    return source.fail_at(0, "a matrix of ", n, " nodes needs over ", kMatrixBytesMax / kMebibyte, " MiB");
  }
  return TrafficMatrix{n};
}

Result<void> add_demand(const TextSource& source, std::size_t offset, NodeId from, NodeId to, double bps,
                        TrafficMatrix& matrix) {
  if (from == to) return source.fail_at(offset, "a demand from a node to itself");
  const double sum = matrix.at(from, to).bps() + bps;
  if (!(bps >= 0.0 && sum <= kRateBpsMax)) return source.fail_at(offset, "a demand must lie between 0 and 1e18 bit/s");
  matrix.set(from, to, BitRate::bps(sum));
  return {};
}

}  // namespace wan::io
