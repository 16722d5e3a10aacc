#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wan::telemetry {

/// What a well-formed bus message holds at most; docs/formats/bus.md lists the same numbers.
namespace bus_limits {
inline constexpr std::size_t kNameBytes = 64;       ///< of nodes and ports
inline constexpr std::size_t kLinkNameBytes = 256;  ///< made of a link's and two nodes' names
inline constexpr std::size_t kTextBytes = 512;      ///< why a program was refused
inline constexpr std::size_t kClasses = 64;         ///< traffic classes are 0 to 63
inline constexpr std::size_t kDemands = 10'000;     ///< of one node
inline constexpr std::size_t kEgresses = 10'000;
inline constexpr std::size_t kPrefixes = 100'000;
inline constexpr std::size_t kRoutes = 10'000;
inline constexpr std::size_t kPaths = 64;     ///< of one demand, or of one of its backups
inline constexpr std::size_t kSegments = 16;  ///< of one path
inline constexpr std::size_t kLinks = 1'024;  ///< of one path
inline constexpr std::size_t kPorts = 256;    ///< of one node; also its backups a demand and its adjacency SIDs
inline constexpr std::size_t kDrops = 64;     ///< reasons
inline constexpr std::uint64_t kCount = std::uint64_t{1} << 56;               ///< bytes or packets in one interval
inline constexpr std::int64_t kIntervalNs = std::int64_t{3'600'000'000'000};  ///< an hour
}  // namespace bus_limits

/// Whether a node can go by this name on the bus: 1 to 64 printable ASCII characters.
[[nodiscard]] bool is_bus_name(std::string_view name);

}  // namespace wan::telemetry
