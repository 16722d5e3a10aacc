#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/topology.h"

namespace wan::controller {

enum class FailureKind : std::uint8_t { kLink, kSrlg, kNode };

[[nodiscard]] std::string_view to_string(FailureKind kind);

/// What goes down at once.
struct Failure {
  FailureKind kind = FailureKind::kLink;
  std::string name;          ///< "A<>B" for both directions of a link, "A>B" for one alone; an SRLG's or a node's name
  std::vector<LinkId> down;  ///< links that were up before, in the order of their ids
  bool operator==(const Failure&) const = default;
};

/// Every physical link: both directions fail together. The k-th link from A to B belongs to the k-th from B to A; one
/// that has no partner fails alone. Links that are down already are no failure. In the order of their first link.
[[nodiscard]] std::vector<Failure> link_failures(const Topology& topology);

/// Every node with a link that is up: all its links fail. What it sends and receives is lost with it.
[[nodiscard]] std::vector<Failure> node_failures(const Topology& topology);

/// Every shared-risk group with a link that is up. A group reaches both directions of its links.
/// @param names  by SRLG; groups beyond them are called "srlg K"
[[nodiscard]] std::vector<Failure> srlg_failures(const Topology& topology, std::span<const std::string> names);

/// The network with the failure on top of what is down already; same ids.
[[nodiscard]] Topology after_failure(const Topology& topology, const Failure& failure);

}  // namespace wan::controller
