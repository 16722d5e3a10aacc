#pragma once

#include "core/io/topology_draft.h"
#include "core/io/xml_source.h"

namespace wan::io {

/// Reads a network as the Internet Topology Zoo publishes it: node keys label, Latitude, Longitude; edge key
/// LinkSpeedRaw.
///
/// Source: GraphML 1.0 (graphdrawing.org); Knight et al., "The Internet Topology Zoo", IEEE JSAC 2011
[[nodiscard]] Result<TopologyFile> parse_graphml(const XmlSource& xml);

}  // namespace wan::io
