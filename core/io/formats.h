#pragma once

#include "core/io/text_source.h"
#include "core/io/topology_file.h"
#include "core/traffic_matrix.h"

namespace wan::io {

// One reader a format; topology_file.cpp and demand_file.cpp choose among them by the first bytes.
// All: @error kBadInput with the place in the file.  Threads: reentrant.  Cost: linear in the text.

inline constexpr std::size_t kTextBytesMax = 128 * kMebibyte;  // REPETITA and JSON
inline constexpr std::size_t kXmlBytesMax = 32 * kMebibyte;    // its tree takes up to 26 times the text
inline constexpr std::size_t kMatrixBytesMax = 448 * kMebibyte;

[[nodiscard]] Result<TopologyFile> parse_repetita_graph(const TextSource& source);
[[nodiscard]] Result<TopologyFile> parse_node_link_json(const TextSource& source);

[[nodiscard]] Result<TrafficMatrix> parse_repetita_demands(const TextSource& source, const Topology& topology);

/// An empty matrix for the network. @error kBadInput: it would need more memory than kMatrixBytesMax
[[nodiscard]] Result<TrafficMatrix> empty_matrix(const TextSource& source, const Topology& topology);
/// Adds one demand. @error kBadInput: from a node to itself, negative, or beyond any network
[[nodiscard]] Result<void> add_demand(const TextSource& source, std::size_t offset, NodeId from, NodeId to, double bps,
                                      TrafficMatrix& matrix);

}  // namespace wan::io
