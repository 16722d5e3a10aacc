#include <array>
#include <string>
#include <vector>

#include "core/io/formats.h"
#include "core/io/json_events.h"
#include "core/io/topology_draft.h"

namespace wan::io {
namespace {

/// networkx's node-link form, as TEAL publishes its networks: capacities in Mbit/s.
class NodeLinkFormat final : public JsonFormat {
 public:
  explicit NodeLinkFormat(const TextSource& source) : source_{source}, draft_{source} {}

  [[nodiscard]] int key_number(int place, std::string_view key) const override;
  [[nodiscard]] Result<int> open(const JsonEvent& at, JsonShape shape) override;
  [[nodiscard]] Result<void> close(const JsonEvent& at, std::uint32_t keys) override;
  [[nodiscard]] Result<void> scalar(const JsonEvent& at, const JsonScalar& value) override;

  [[nodiscard]] Result<TopologyFile> finish() &&;

 private:
  enum Place { kOutside, kRoot, kNodes, kNode, kLinks, kLink };
  enum RootKey { kDirected, kNodesKey, kLinksKey };
  enum LinkKey { kSource, kTarget, kCapacity };

  struct PendingLink {  // links may stand before the nodes they join
    std::array<std::string, 2> ends;
    std::optional<double> capacity_mbps;
    std::size_t offset = 0;
  };

  [[nodiscard]] Result<std::string> id_text(const JsonEvent& at, const JsonScalar& value) const;
  [[nodiscard]] Result<void> link_field(const JsonEvent& at, const JsonScalar& value);

  const TextSource& source_;
  TopologyDraft draft_;
  bool directed_ = false;
  std::string node_id_;
  PendingLink link_;
  std::vector<PendingLink> links_;
};

int NodeLinkFormat::key_number(int place, std::string_view key) const {
  switch (place) {
    case kRoot:
      if (key == "directed") return kDirected;
      if (key == "nodes") return kNodesKey;
      return key == "links" || key == "edges" ? kLinksKey : -1;  // networkx 3.4 renamed it
    case kNode:
      return key == "id" ? 0 : -1;
    case kLink:
      if (key == "source") return kSource;
      if (key == "target") return kTarget;
      return key == "capacity" ? kCapacity : -1;
    default:
      return -1;
  }
}

Result<int> NodeLinkFormat::open(const JsonEvent& at, JsonShape shape) {
  const bool object = shape == JsonShape::kObject;
  if (at.place == kOutside && object) return kRoot;
  if (at.place == kRoot && at.key == kNodesKey && !object) return kNodes;
  if (at.place == kRoot && at.key == kLinksKey && !object) return kLinks;
  if (at.place == kNodes && object) return kNode;
  if (at.place == kLinks && object) {
    if (links_.size() == kLinksMax) return source_.fail_at(at.offset, "more than ", kLinksMax, " links");
    link_ = PendingLink{};
    link_.offset = at.offset;
    return kLink;
  }
  return source_.fail_at(at.offset, object ? "an object where none belongs" : "an array where none belongs");
}

Result<void> NodeLinkFormat::close(const JsonEvent& at, std::uint32_t keys) {
  const auto has = [keys](int key) { return (keys >> static_cast<unsigned>(key) & 1U) != 0; };
  switch (at.place) {
    case kRoot:
      if (!has(kDirected)) return source_.fail_at(at.offset, "\"directed\" is missing");
      if (!has(kNodesKey)) return source_.fail_at(at.offset, "\"nodes\" is missing");
      if (!has(kLinksKey)) return source_.fail_at(at.offset, "\"links\" is missing");
      return {};
    case kNode:
      if (!has(0)) return source_.fail_at(at.offset, "a node without \"id\"");
      return draft_.add_node({.id = node_id_, .label = {}, .location = {}, .offset = at.offset});
    case kLink:
      if (!has(kSource)) return source_.fail_at(at.offset, "a link without \"source\"");
      if (!has(kTarget)) return source_.fail_at(at.offset, "a link without \"target\"");
      links_.push_back(std::move(link_));
      return {};
    default:
      return {};
  }
}

Result<void> NodeLinkFormat::scalar(const JsonEvent& at, const JsonScalar& value) {
  switch (at.place) {
    case kRoot:
      if (at.key != kDirected || value.kind != JsonScalar::Kind::kBoolean) break;
      directed_ = value.boolean;
      return {};
    case kNode: {
      auto id = id_text(at, value);
      if (!id) return error_of(id);
      node_id_ = *std::move(id);
      return {};
    }
    case kLink:
      return link_field(at, value);
    default:
      break;
  }
  return source_.fail_at(at.offset, "a value of the wrong type");
}

Result<void> NodeLinkFormat::link_field(const JsonEvent& at, const JsonScalar& value) {
  if (at.key != kCapacity) {
    auto id = id_text(at, value);
    if (!id) return error_of(id);
    link_.ends[at.key == kSource ? 0 : 1] = *std::move(id);
    return {};
  }
  if (value.kind != JsonScalar::Kind::kWhole && value.kind != JsonScalar::Kind::kNumber) {
    return source_.fail_at(at.offset, "a link's capacity must be a number, in Mbit/s");
  }
  link_.capacity_mbps = value.number;
  return {};
}

Result<std::string> NodeLinkFormat::id_text(const JsonEvent& at, const JsonScalar& value) const {
  if (value.kind == JsonScalar::Kind::kWhole) return std::to_string(value.whole);
  if (value.kind != JsonScalar::Kind::kString) {
    return source_.fail_at(at.offset, "a node's id must be text or a whole number from 0 up");
  }
  if (value.text.size() > kNameBytesMax)
    return source_.fail_at(at.offset, "node id ", in_quotes(value.text), " is too long");
  return std::string{value.text};
}

Result<TopologyFile> NodeLinkFormat::finish() && {
  std::size_t unstated_unit = 0;
  for (const PendingLink& pending : links_) {
    DraftLink link{};
    link.both_ways = !directed_;
    link.offset = pending.offset;
    if (pending.capacity_mbps) {
      link.capacity_bps = BitRate::mbps(*pending.capacity_mbps).bps();
      ++unstated_unit;
    }
    for (const std::size_t end : {0U, 1U}) {
      const auto node = draft_.find_node(pending.ends[end]);
      if (!node)
        return source_.fail_at(pending.offset, "a link ends at ", in_quotes(pending.ends[end]),
                               ", which is not a node");
      (end == 0 ? link.from : link.to) = *node;
    }
    if (auto added = draft_.add_link(link); !added) return error_of(added);
  }
  if (unstated_unit > 0) draft_.assume("unit of capacities not given: Mbit/s assumed");
  return std::move(draft_).finish();
}

}  // namespace

Result<TopologyFile> parse_node_link_json(const TextSource& source) {
  NodeLinkFormat format{source};
  if (auto read = read_json(source, format); !read) return error_of(read);
  return std::move(format).finish();
}

}  // namespace wan::io
