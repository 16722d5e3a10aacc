#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip_address.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::io {

/// What the daemon must know of a node beyond its place in the topology.
struct NodeSettings {
  IpPrefix locator;  ///< of its segments, at most 64 bits long
  std::vector<IpPrefix> prefixes;
  bool managed = true;  ///< it runs an aiwan-dataplane
  bool operator==(const NodeSettings&) const = default;
};

/// A network as its file describes it (docs/formats/network.md).
struct NetworkDescription {
  Topology topology;                      ///< two directed links for each entry of the file, in file order
  std::vector<NodeSettings> nodes;        ///< by node
  std::vector<std::string> ports;         ///< by link: the port of its near end
  std::vector<LinkId> reverse;            ///< by link: the other direction
  std::vector<std::string> srlg_names;    ///< by SRLG
  std::vector<std::string> duplex_names;  ///< by link: what stands for both directions, "west-1"; else empty

  /// The links that an operator's word stands for: one direction, both (`duplex_names`), or all of a node or an SRLG.
  /// Empty when it names nothing.
  [[nodiscard]] std::vector<LinkId> links_named(std::string_view target) const;
};

/// @error kNotFound, kIo, kBadInput: one line that begins with "FILE:LINE: KEY: "
[[nodiscard]] Result<NetworkDescription> read_network(const std::filesystem::path& file);
/// The same on text in memory; `name` stands for the file in messages.
[[nodiscard]] Result<NetworkDescription> parse_network(std::string_view text, std::string_view name);

}  // namespace wan::io
