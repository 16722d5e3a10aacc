#include "core/io/topology_draft.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_set>
#include <utility>

namespace wan::io {
namespace {

constexpr double kAssumedCapacityBps = 10e9;
constexpr Duration kAssumedDelay = std::chrono::milliseconds{1};
constexpr double kFibreUsPerKm = 4.9;  // light in glass
constexpr double kEarthRadiusKm = 6371.0;
constexpr double kDelayUsMax = 3.6e9;  // an hour
constexpr double kWeightMax = 1e12;

double great_circle_km(const GeoPoint& a, const GeoPoint& b) {
  const auto radians = [](double degrees) { return degrees * std::numbers::pi / 180.0; };
  const double half_lat = std::sin(radians(b.latitude - a.latitude) / 2.0);
  const double half_lon = std::sin(radians(b.longitude - a.longitude) / 2.0);
  const double chord =
      half_lat * half_lat + std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * half_lon * half_lon;
  return 2.0 * kEarthRadiusKm * std::asin(std::sqrt(std::clamp(chord, 0.0, 1.0)));
}

Duration from_us(double us) { return Duration{std::llround(us * 1e3)}; }

std::string counted(std::size_t count, std::string_view what) {
  return joined(count, " ", what, count == 1 ? "" : "s");
}

std::optional<std::string> unusable_name(std::string_view name) {
  if (name.size() > kNameBytesMax) return joined("name ", in_quotes(name), " is over ", kNameBytesMax, " bytes");
  if (!is_utf8(name)) return joined("name ", in_quotes(name), " is not UTF-8");
  if (has_control_character(name)) return joined("name ", in_quotes(name), " holds a control character");
  return std::nullopt;
}

}  // namespace

Result<void> TopologyDraft::add_node(DraftNode node) {
  if (nodes_.size() == kNodesMax) {
    return source_.fail_at(node.offset, "more than ", kNodesMax, " nodes");
  }
  if (node.id.empty()) return source_.fail_at(node.offset, "a node has an empty id");
  for (const std::string* name : {&node.id, &node.label}) {
    if (const auto fault = unusable_name(*name)) return source_.fail_at(node.offset, "node ", *fault);
  }
  if (!node_by_id_.emplace(node.id, nodes_.size()).second) {
    return source_.fail_at(node.offset, "node id ", in_quotes(node.id), " appears twice");
  }
  nodes_.push_back(std::move(node));
  return {};
}

Result<void> TopologyDraft::add_link(const DraftLink& link) {
  if (links_.size() >= kLinksMax) {
    return source_.fail_at(link.offset, "more than ", kLinksMax, " links");
  }
  if (link.capacity_bps && !(*link.capacity_bps >= 1.0 && *link.capacity_bps <= kRateBpsMax)) {
    return source_.fail_at(link.offset, "a link's capacity must lie between 1 bit/s and 1e18 bit/s");
  }
  if (link.delay_us && !(*link.delay_us >= 0.0 && *link.delay_us <= kDelayUsMax)) {
    return source_.fail_at(link.offset, "a link's delay must lie between 0 and an hour");
  }
  if (link.weight && !(*link.weight > 0.0 && *link.weight <= kWeightMax)) {
    return source_.fail_at(link.offset, "a link's weight must be above 0 and at most 1e12");
  }
  if (link.from == link.to) {
    if (self_loops_++ == 0) first_self_loop_ = nodes_[link.from].id;
    return {};
  }
  links_.push_back(link);
  return {};
}

std::optional<std::size_t> TopologyDraft::find_node(std::string_view id) const {
  const auto found = node_by_id_.find(std::string{id});
  if (found == node_by_id_.end()) return std::nullopt;
  return found->second;
}

void TopologyDraft::drop_impossible_locations() {
  std::size_t dropped = 0;
  for (DraftNode& node : nodes_) {
    if (!node.location) continue;
    if (std::abs(node.location->latitude) <= 90.0 && std::abs(node.location->longitude) <= 180.0) continue;
    node.location.reset();
    ++dropped;
  }
  if (dropped > 0)
    assume("coordinates of ", counted(dropped, "node"), " are no degrees of latitude and longitude: not used");
}

Duration TopologyDraft::delay_of(const DraftLink& link) {
  if (link.delay_us) return from_us(*link.delay_us);
  const auto& a = nodes_[link.from].location;
  const auto& b = nodes_[link.to].location;
  if (a && b) {
    ++delays_computed_;
    return from_us(great_circle_km(*a, *b) * kFibreUsPerKm);
  }
  ++delays_assumed_;
  return kAssumedDelay;
}

void TopologyDraft::state_assumptions() {
  const auto lacking = [this](auto member) {
    return static_cast<std::size_t>(
        std::count_if(links_.begin(), links_.end(), [member](const DraftLink& link) { return !(link.*member); }));
  };
  if (self_loops_ > 0) {
    assume(counted(self_loops_, "link"), " from a node to itself (the first at node ", in_quotes(first_self_loop_),
           ") left out");
  }
  if (const std::size_t count = lacking(&DraftLink::capacity_bps)) {
    assume("capacity of ", counted(count, "link"), " not given: 10 Gbit/s assumed");
  }
  if (delays_computed_ > 0) {
    assume("delay of ", counted(delays_computed_, "link"),
           " not given: 4.9 us/km of great-circle distance between the ends assumed");
  }
  if (delays_assumed_ > 0) {
    assume("delay of ", counted(delays_assumed_, "link"), " not given, nor where both ends stand: 1 ms assumed");
  }
  if (const std::size_t count = lacking(&DraftLink::weight)) {
    assume("IGP weight of ", counted(count, "link"), " not given: 1 assumed");
  }
}

Result<TopologyFile> TopologyDraft::finish() && {
  if (nodes_.empty()) return source_.fail_at(0, "the network has no nodes");
  if (links_.empty()) return source_.fail_at(0, "the network has no links");
  drop_impossible_locations();
  auto names = node_names(nodes_);
  if (!names) return source_.fail_at(0, "node labels and ids do not give distinct names");

  std::vector<Node> nodes;
  nodes.reserve(nodes_.size());
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    nodes.push_back({.name = std::move((*names)[n]), .location = nodes_[n].location});
  }
  std::vector<Link> links;
  for (const DraftLink& draft : links_) {
    Link link{.name = {},
              .from = NodeId{draft.from},
              .to = NodeId{draft.to},
              .capacity = BitRate::bps(draft.capacity_bps.value_or(kAssumedCapacityBps)),
              .delay = delay_of(draft),
              .weight = draft.weight.value_or(1.0),
              .srlgs = {},
              .up = true};
    links.push_back(link);
    if (!draft.both_ways) continue;
    std::swap(link.from, link.to);
    links.push_back(std::move(link));
  }
  if (links.size() > kLinksMax) return source_.fail_at(0, "more than ", kLinksMax, " links");
  name_links(nodes, links);
  state_assumptions();

  auto topology = Topology::make(std::move(nodes), std::move(links));
  if (!topology) return source_.fail_at(0, topology.error().message);
  return TopologyFile{.topology = *std::move(topology), .assumptions = std::move(assumptions_)};
}

std::optional<std::vector<std::string>> node_names(const std::vector<DraftNode>& nodes) {
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const DraftNode& node : nodes) names.push_back(node.label.empty() ? node.id : node.label);

  // `label#id` may itself be another node's label, hence more than one round.
  constexpr int kRoundsMax = 8;
  for (int round = 0; round < kRoundsMax; ++round) {
    std::unordered_map<std::string, std::size_t> uses;
    for (const std::string& name : names) ++uses[name];
    if (uses.size() == names.size()) return names;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (uses[names[n]] > 1) names[n].append("#").append(nodes[n].id);
    }
  }
  return std::nullopt;
}

void name_links(const std::vector<Node>& nodes, std::vector<Link>& links) {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, std::size_t> copies;
  for (Link& link : links) {
    const std::string plain = joined(nodes[link.from.index()].name, ">", nodes[link.to.index()].name);
    std::size_t& count = copies[plain];
    do {
      ++count;
      link.name = count == 1 ? plain : joined(plain, "#", count);
    } while (!taken.insert(link.name).second);
  }
}

}  // namespace wan::io
