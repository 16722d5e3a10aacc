#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.h"

namespace wan {

/// One instruction of a segment list: go on to a node the way the IGP goes, or so to the near end of a link and then
/// across it. In SRv6 the first is an End (of the last node an End.DT46), the second an End.X of the link's near end.
class PathSegment {
 public:
  PathSegment() = default;
  [[nodiscard]] static constexpr PathSegment to(NodeId node) {
    return PathSegment{static_cast<std::uint32_t>(node.index())};
  }
  [[nodiscard]] static constexpr PathSegment across(LinkId link) {
    return PathSegment{kAcross | static_cast<std::uint32_t>(link.index())};
  }
  /// The link of an instruction that crosses one; nothing for one that goes to a node.
  [[nodiscard]] constexpr std::optional<LinkId> link() const {
    if ((code_ & kAcross) == 0) return std::nullopt;
    return LinkId{code_ & ~kAcross};
  }
  /// The node of an instruction that goes to one; nothing for one that crosses a link.
  [[nodiscard]] constexpr std::optional<NodeId> node() const {
    if ((code_ & kAcross) != 0) return std::nullopt;
    return NodeId{code_};
  }
  friend constexpr bool operator==(PathSegment, PathSegment) = default;

 private:
  static constexpr std::uint32_t kAcross = 0x80000000U;
  explicit constexpr PathSegment(std::uint32_t code) : code_{code} {}
  std::uint32_t code_ = 0;
};

/// A segment list for each path of a plan, in the order of its demands and of their paths. A list begins after the
/// path's first link, which the ingress node leaves through by itself, and ends with the last node.
///
/// Threads: any number of readers.
class SegmentLists {
 public:
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return first_.size() - 1; }
  [[nodiscard]] std::span<const PathSegment> list(std::size_t path) const {
    return std::span{segments_}.subspan(first_[path], first_[path + 1] - first_[path]);
  }
  void add(std::span<const PathSegment> list) {
    segments_.insert(segments_.end(), list.begin(), list.end());
    first_.push_back(static_cast<std::uint32_t>(segments_.size()));
  }
  bool operator==(const SegmentLists&) const = default;

 private:
  std::vector<std::uint32_t> first_{0};
  std::vector<PathSegment> segments_;
};

}  // namespace wan
