#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace wan {

/// A dense index of one kind of thing: usable as a position in the vector that holds these things, and as nothing else.
template <typename Tag>
class Id {
 public:
  constexpr Id() = default;
  explicit constexpr Id(std::size_t index) : index_{static_cast<std::uint32_t>(index)} {}
  [[nodiscard]] constexpr std::size_t index() const { return index_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint32_t index_ = 0;
};

using NodeId = Id<struct NodeTag>;
using LinkId = Id<struct LinkTag>;
/// A shared-risk link group: links that fail together.
using SrlgId = Id<struct SrlgTag>;
/// A traffic class; 0 is best effort unless a policy says otherwise.
using TrafficClass = Id<struct TrafficClassTag>;

}  // namespace wan
