#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/io/text_source.h"
#include "core/io/topology_file.h"

namespace wan::io {

inline constexpr std::size_t kNodesMax = 10'000;
inline constexpr std::size_t kLinksMax = 200'000;
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr double kRateBpsMax = 1e18;  // of a capacity or demand: sums of any number of them stay finite

/// A node as a file gives it. `offset` is where in the file, for messages.
struct DraftNode {
  std::string id;     ///< unique in the file
  std::string label;  ///< may be empty or repeat
  std::optional<GeoPoint> location;
  std::size_t offset = 0;
};

/// A link as a file gives it; what the file leaves out stays empty.
struct DraftLink {
  std::size_t from = 0;
  std::size_t to = 0;
  bool both_ways = false;
  std::optional<double> capacity_bps;
  std::optional<double> delay_us;
  std::optional<double> weight;
  std::size_t offset = 0;
};

/// Collects what a topology file says, checks each part where it stands, and fills in and counts what is missing.
class TopologyDraft {
 public:
  /// `source` outlives the draft.
  explicit TopologyDraft(const TextSource& source) : source_{source} {}

  /// @error kBadInput: a repeated or unusable id, an unusable label, too many nodes
  [[nodiscard]] Result<void> add_node(DraftNode node);
  /// Ends must come from `find_node`. A link from a node to itself is left out and counted.
  /// @error kBadInput: a capacity, delay or weight out of range, too many links
  [[nodiscard]] Result<void> add_link(const DraftLink& link);
  [[nodiscard]] std::optional<std::size_t> find_node(std::string_view id) const;

  /// A sentence for the user, beside those that `finish` adds.
  template <typename... Parts>
  void assume(const Parts&... parts) {
    assumptions_.push_back(joined(parts...));
  }
  [[nodiscard]] std::size_t drawn_links() const { return links_.size(); }

  /// Names everything, fills in what is missing and makes the topology.
  /// @error kBadInput: no node or no link
  [[nodiscard]] Result<TopologyFile> finish() &&;

 private:
  void drop_impossible_locations();
  [[nodiscard]] Duration delay_of(const DraftLink& link);
  void state_assumptions();

  const TextSource& source_;
  std::vector<DraftNode> nodes_;
  std::vector<DraftLink> links_;
  std::unordered_map<std::string, std::size_t> node_by_id_;  // looked up only, never walked
  std::vector<std::string> assumptions_;
  std::size_t self_loops_ = 0;
  std::string first_self_loop_;
  std::size_t delays_computed_ = 0;
  std::size_t delays_assumed_ = 0;
};

/// A name for every node: its label where no other node has it, else `label#id`; without a label, the id.
/// Nothing if names still repeat after adding the id several times.
[[nodiscard]] std::optional<std::vector<std::string>> node_names(const std::vector<DraftNode>& nodes);

/// Gives every link the name `FROM>TO`, and from the second parallel one on `FROM>TO#2`, `#3`, ...
void name_links(const std::vector<Node>& nodes, std::vector<Link>& links);

}  // namespace wan::io
