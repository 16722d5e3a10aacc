#pragma once

#include "core/io/topology_draft.h"
#include "core/io/xml_source.h"
#include "core/traffic_matrix.h"

namespace wan::io {

/// Reads the structure, or the demands, of an SNDlib network.
///
/// Source: Orlowski et al., "SNDlib 1.0: Survivable Network Design Library", Networks 2010, section 2.1. Whether links
/// are directed stands in SNDlib's separate model file; without it, a link is taken as one of its capacity each way.
[[nodiscard]] Result<TopologyFile> parse_sndlib_network(const XmlSource& xml);
[[nodiscard]] Result<TrafficMatrix> parse_sndlib_demands(const XmlSource& xml, const Topology& topology);

}  // namespace wan::io
