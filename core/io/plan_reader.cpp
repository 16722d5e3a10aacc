#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/io/json_events.h"
#include "core/io/number_text.h"
#include "core/io/plan_file.h"
#include "core/io/text_source.h"

namespace wan::io {
namespace {

constexpr std::size_t kPlanBytesMax = 256 * kMebibyte;
constexpr std::size_t kClassesMax = 256;
constexpr std::size_t kPathLinksMax = std::size_t{1} << 25;  // of all paths: 128 MiB of ids
constexpr std::size_t kPathsMax = 100'000;                   // of one demand

/// docs/formats/plan.md, event by event: a plan of 40,000 demands is tens of megabytes.
class PlanFormat final : public JsonFormat {
 public:
  PlanFormat(const TextSource& source, const Topology& topology) : source_{source}, topology_{topology} {}

  [[nodiscard]] int key_number(int place, std::string_view key) const override;
  [[nodiscard]] Result<int> open(const JsonEvent& at, JsonShape shape) override;
  [[nodiscard]] Result<void> close(const JsonEvent& at, std::uint32_t keys) override;
  [[nodiscard]] Result<void> scalar(const JsonEvent& at, const JsonScalar& value) override;
  [[nodiscard]] PlanFile finish() &&;

 private:
  enum Place : int {
    kOutside,
    kRoot,
    kNodes,
    kLinks,
    kLink,
    kDemands,
    kDemand,
    kPaths,
    kPath,
    kPathLinks,
    kSegments,
    kLimits,
    kCertificate,
    kDuals,
    kUnrouted,
    kUnroutedDemand
  };
  static constexpr std::array<std::string_view, 8> kRootKeys{"format",      "topology", "nodes",    "links",
                                                             "certificate", "demands",  "unrouted", "limits"};
  static constexpr std::array<std::string_view, 3> kLinkKeys{"from", "to", "name"};
  static constexpr std::array<std::string_view, 4> kDemandKeys{"class", "from", "to", "paths"};
  static constexpr std::array<std::string_view, 3> kPathKeys{"fraction", "links", "segments"};
  static constexpr std::array<std::string_view, 2> kLimitKeys{"paths_max", "sid_depth"};
  static constexpr std::array<std::string_view, 3> kCertificateKeys{"utilization", "lower_bound", "duals"};

  /// The keys of objects at a place, the required ones first.
  [[nodiscard]] static std::span<const std::string_view> keys_at(int place);
  [[nodiscard]] static std::size_t optional_keys_at(int place);

  [[nodiscard]] Result<std::size_t> index(const JsonEvent& at, const JsonScalar& value, std::size_t count,
                                          std::string_view what) const;
  [[nodiscard]] Result<double> number(const JsonEvent& at, const JsonScalar& value) const;
  [[nodiscard]] Result<void> root_field(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> link_field(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> demand_field(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> certificate_field(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> node_name(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> limit_field(const JsonEvent& at, const JsonScalar& value);
  [[nodiscard]] Result<void> segment(const JsonEvent& at, const JsonScalar& value);

  [[nodiscard]] Result<void> close_link(const JsonEvent& at);
  [[nodiscard]] Result<void> close_path(const JsonEvent& at);
  [[nodiscard]] Result<void> close_demand(const JsonEvent& at);
  [[nodiscard]] Result<void> check_ends(const JsonEvent& at) const;
  [[nodiscard]] bool has_repeated_path() const;
  template <typename... Parts>
  [[nodiscard]] tl::unexpected<Error> fail_demand(const JsonEvent& at, const Parts&... why) const {
    return source_.fail_at(at.offset, "demand ", topology_.node(demand_.from).name, " > ",
                           topology_.node(demand_.to).name, " of class ", demand_.cls.index(), ": ", why...);
  }
  [[nodiscard]] std::span<const LinkId> path_links(std::size_t path) const;

  const TextSource& source_;
  const Topology& topology_;
  std::size_t nodes_seen_ = 0;
  std::size_t links_seen_ = 0;
  Link link_;
  std::string digest_;
  Certificate certificate_;
  std::vector<Demand> unrouted_;
  PathPlanBuilder builder_ = PathPlanBuilder::keeping_fractions();
  PlanLimits limits_;
  SegmentLists lists_;
  std::size_t segments_seen_ = 0;
  std::optional<Demand> previous_;
  std::size_t path_links_seen_ = 0;

  // The demand being read.
  Demand demand_;
  double fraction_ = 0.0;
  std::vector<double> fractions_;
  std::vector<LinkId> links_;
  std::vector<std::size_t> first_link_{0};
  std::vector<PathSegment> segments_;  // of the path being read
  std::size_t paths_seen_ = 0;
};

std::span<const std::string_view> PlanFormat::keys_at(int place) {
  switch (place) {
    case kRoot:
      return kRootKeys;
    case kLink:
      return kLinkKeys;
    case kDemand:
      return kDemandKeys;
    case kUnroutedDemand:
      return std::span{kDemandKeys}.first(3);
    case kPath:
      return kPathKeys;
    case kLimits:
      return kLimitKeys;
    case kCertificate:
      return kCertificateKeys;
    default:
      return {};
  }
}

std::size_t PlanFormat::optional_keys_at(int place) {
  if (place == kLimits) return kLimitKeys.size();
  return place == kRoot || place == kPath ? 1 : 0;
}

int PlanFormat::key_number(int place, std::string_view key) const {
  const auto keys = keys_at(place);
  for (std::size_t k = 0; k < keys.size(); ++k) {
    if (keys[k] == key) return static_cast<int>(k);
  }
  return -1;
}

Result<int> PlanFormat::open(const JsonEvent& at, JsonShape shape) {
  struct Step {
    int place;
    int key;
    JsonShape shape;
    int opens;
  };
  static constexpr JsonShape kObject = JsonShape::kObject;
  static constexpr JsonShape kArray = JsonShape::kArray;
  static constexpr std::array<Step, 15> kSteps{{{kPath, 1, kArray, kPathLinks},
                                                {kPath, 2, kArray, kSegments},
                                                {kPaths, -1, kObject, kPath},
                                                {kDemand, 3, kArray, kPaths},
                                                {kDemands, -1, kObject, kDemand},
                                                {kUnrouted, -1, kObject, kUnroutedDemand},
                                                {kLinks, -1, kObject, kLink},
                                                {kOutside, -1, kObject, kRoot},
                                                {kRoot, 2, kArray, kNodes},
                                                {kRoot, 3, kArray, kLinks},
                                                {kRoot, 4, kObject, kCertificate},
                                                {kRoot, 5, kArray, kDemands},
                                                {kRoot, 6, kArray, kUnrouted},
                                                {kRoot, 7, kObject, kLimits},
                                                {kCertificate, 2, kArray, kDuals}}};
  for (const Step& step : kSteps) {
    if (step.place != at.place || step.key != at.key || step.shape != shape) continue;
    if (step.opens == kDemand) {
      fractions_.clear();
      links_.clear();
      first_link_.assign(1, 0);
    }
    if (step.opens == kPath) segments_.clear();
    return step.opens;
  }
  return source_.fail_at(at.offset, shape == kObject ? "an object where none belongs" : "an array where none belongs");
}

Result<void> PlanFormat::close(const JsonEvent& at, std::uint32_t keys) {
  const auto known = keys_at(at.place);
  const auto required = known.first(known.size() - optional_keys_at(at.place));
  for (std::size_t k = 0; k < required.size(); ++k) {
    if ((keys >> k & 1U) == 0) return source_.fail_at(at.offset, "\"", required[k], "\" is missing");
  }
  switch (at.place) {
    case kNodes:
      if (nodes_seen_ == topology_.node_count()) return {};
      return source_.fail_at(at.offset, "the plan is for another network: it has ", nodes_seen_, " nodes, not ",
                             topology_.node_count());
    case kLinks:
      if (links_seen_ == topology_.link_count()) return {};
      return source_.fail_at(at.offset, "the plan is for another network: it has ", links_seen_, " links, not ",
                             topology_.link_count());
    case kLink:
      return close_link(at);
    case kPath:
      return close_path(at);
    case kDemand:
      return close_demand(at);
    case kUnroutedDemand:
      if (auto checked = check_ends(at); !checked) return checked;
      unrouted_.push_back(demand_);
      return {};
    case kDuals:
      if (certificate_.duals.empty() || certificate_.duals.size() == topology_.link_count()) return {};
      return source_.fail_at(at.offset, certificate_.duals.size(), " duals for ", topology_.link_count(), " links");
    default:
      return {};
  }
}

Result<void> PlanFormat::scalar(const JsonEvent& at, const JsonScalar& value) {
  switch (at.place) {
    case kPathLinks: {
      const auto link = index(at, value, topology_.link_count(), "link");
      if (!link) return error_of(link);
      if (path_links_seen_ + links_.size() == kPathLinksMax) {
        return source_.fail_at(at.offset, "the paths up to here have more than ", kPathLinksMax, " links");
      }
      links_.emplace_back(*link);
      return {};
    }
    case kSegments:
      return segment(at, value);
    case kLimits:
      return limit_field(at, value);
    case kPath: {
      if (at.key != 0) break;
      const auto fraction = number(at, value);
      if (!fraction) return error_of(fraction);
      fraction_ = *fraction;
      return {};
    }
    case kDemand:
    case kUnroutedDemand:
      return demand_field(at, value);
    case kRoot:
      return root_field(at, value);
    case kNodes:
      return node_name(at, value);
    case kLink:
      return link_field(at, value);
    case kCertificate:
    case kDuals:
      return certificate_field(at, value);
    default:
      break;
  }
  return source_.fail_at(at.offset, "a value where an object or array belongs");
}

Result<void> PlanFormat::root_field(const JsonEvent& at, const JsonScalar& value) {
  if (at.key > 1 || value.kind != JsonScalar::Kind::kString)
    return source_.fail_at(at.offset, "a value of the wrong type");
  if (at.key == 1) {
    digest_ = value.text;
  } else if (value.text != "aiwan-plan/1") {
    return source_.fail_at(at.offset, "format ", in_quotes(value.text), " is not \"aiwan-plan/1\"");
  }
  return {};
}

Result<void> PlanFormat::node_name(const JsonEvent& at, const JsonScalar& value) {
  const std::size_t n = nodes_seen_++;
  if (value.kind == JsonScalar::Kind::kString && n < topology_.node_count() &&
      value.text == topology_.nodes()[n].name) {
    return {};
  }
  return source_.fail_at(at.offset, "the plan is for another network: node ", n, " differs");
}

Result<void> PlanFormat::link_field(const JsonEvent& at, const JsonScalar& value) {
  if (at.key == 2) {
    if (value.kind != JsonScalar::Kind::kString) return source_.fail_at(at.offset, "a link's name must be text");
    link_.name = value.text;
    return {};
  }
  const auto node = index(at, value, topology_.node_count(), "node");
  if (!node) return error_of(node);
  (at.key == 0 ? link_.from : link_.to) = NodeId{*node};
  return {};
}

Result<void> PlanFormat::close_link(const JsonEvent& at) {
  const std::size_t l = links_seen_++;
  if (l < topology_.link_count()) {
    const Link& ours = topology_.links()[l];
    if (ours.from == link_.from && ours.to == link_.to && ours.name == link_.name) return {};
  }
  return source_.fail_at(at.offset, "the plan is for another network: link ", l, " differs");
}

Result<void> PlanFormat::demand_field(const JsonEvent& at, const JsonScalar& value) {
  if (at.key == 0) {
    const auto cls = index(at, value, kClassesMax, "traffic class");
    if (!cls) return error_of(cls);
    demand_.cls = TrafficClass{*cls};
    return {};
  }
  if (at.key == 3) return source_.fail_at(at.offset, "\"paths\" must be an array");
  const auto node = index(at, value, topology_.node_count(), "node");
  if (!node) return error_of(node);
  (at.key == 1 ? demand_.from : demand_.to) = NodeId{*node};
  return {};
}

Result<void> PlanFormat::certificate_field(const JsonEvent& at, const JsonScalar& value) {
  const auto read = number(at, value);
  if (!read) return error_of(read);
  if (at.place == kDuals) {
    if (certificate_.duals.size() == topology_.link_count()) return source_.fail_at(at.offset, "more duals than links");
    certificate_.duals.push_back(*read);
  } else if (at.key == 2) {
    return source_.fail_at(at.offset, "\"duals\" must be an array");
  } else {
    (at.key == 0 ? certificate_.utilization : certificate_.lower_bound) = *read;
  }
  return {};
}

Result<void> PlanFormat::limit_field(const JsonEvent& at, const JsonScalar& value) {
  if (value.kind != JsonScalar::Kind::kWhole || value.whole == 0 || value.whole > kPathsMax) {
    return source_.fail_at(at.offset, "\"", kLimitKeys[static_cast<std::size_t>(at.key)],
                           "\" must be a whole number from 1 to ", kPathsMax);
  }
  (at.key == 0 ? limits_.paths_max : limits_.sid_depth) = value.whole;
  return {};
}

/// "N" and a node's number, or "A" and a link's.
Result<void> PlanFormat::segment(const JsonEvent& at, const JsonScalar& value) {
  const bool text = value.kind == JsonScalar::Kind::kString && value.text.size() > 1;
  const bool across = text && value.text.front() == 'A';
  const std::size_t count = across ? topology_.link_count() : topology_.node_count();
  const auto number = text && (across || value.text.front() == 'N') ? parse_count(value.text.substr(1)) : std::nullopt;
  if (!number || *number >= count) {
    return source_.fail_at(at.offset, "a segment must be \"N\" and a node's number below ", topology_.node_count(),
                           ", or \"A\" and a link's below ", topology_.link_count());
  }
  if (++segments_seen_ > kPathLinksMax) {
    return source_.fail_at(at.offset, "the paths up to here have more than ", kPathLinksMax, " segments");
  }
  segments_.push_back(across ? PathSegment::across(LinkId{*number}) : PathSegment::to(NodeId{*number}));
  return {};
}

std::span<const LinkId> PlanFormat::path_links(std::size_t path) const {
  return std::span{links_}.subspan(first_link_[path], first_link_[path + 1] - first_link_[path]);
}

Result<void> PlanFormat::close_path(const JsonEvent& at) {
  if (!(fraction_ > 0.0 && fraction_ <= 1.0 + 1e-9))
    return source_.fail_at(at.offset, "a path's fraction must be above 0 and at most 1");
  if (links_.size() == first_link_.back()) return source_.fail_at(at.offset, "a path without links");
  if (fractions_.size() == kPathsMax)
    return source_.fail_at(at.offset, "a demand with more than ", kPathsMax, " paths");
  if (!segments_.empty()) lists_.add(segments_);
  if (!lists_.empty() && lists_.size() != paths_seen_ + 1) {
    return source_.fail_at(at.offset, "some paths have segments and some have none");
  }
  ++paths_seen_;
  fractions_.push_back(fraction_);
  first_link_.push_back(links_.size());
  return {};
}

Result<void> PlanFormat::check_ends(const JsonEvent& at) const {
  if (demand_.from == demand_.to) return fail_demand(at, "source and destination are the same");
  return {};
}

Result<void> PlanFormat::close_demand(const JsonEvent& at) {
  if (auto checked = check_ends(at); !checked) return checked;
  if (previous_ && demand_ <= *previous_)
    return fail_demand(at, "demands must stand in increasing order (class, from, to)");
  if (fractions_.empty()) return fail_demand(at, "no path");
  double sum = 0.0;
  for (const double fraction : fractions_) sum += fraction;
  if (std::abs(sum - 1.0) > 1e-9) return fail_demand(at, "fractions sum to ", format_number(sum), ", not to 1");

  if (has_repeated_path()) return fail_demand(at, "the same path appears twice");

  builder_.begin_demand(demand_);
  for (std::size_t p = 0; p < fractions_.size(); ++p) builder_.add_path(fractions_[p], path_links(p));
  path_links_seen_ += links_.size();
  previous_ = demand_;
  return {};
}

bool PlanFormat::has_repeated_path() const {
  std::vector<std::size_t> order(fractions_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto less = [this](std::size_t a, std::size_t b) {
    const auto x = path_links(a);
    const auto y = path_links(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  };
  std::sort(order.begin(), order.end(), less);
  return std::adjacent_find(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return !less(a, b); }) !=
         order.end();
}

Result<std::size_t> PlanFormat::index(const JsonEvent& at, const JsonScalar& value, std::size_t count,
                                      std::string_view what) const {
  if (value.kind == JsonScalar::Kind::kWhole && value.whole < count) return value.whole;
  return source_.fail_at(at.offset, "a ", what, " must be a whole number below ", count);
}

Result<double> PlanFormat::number(const JsonEvent& at, const JsonScalar& value) const {
  if (value.kind == JsonScalar::Kind::kWhole || value.kind == JsonScalar::Kind::kNumber) return value.number;
  return source_.fail_at(at.offset, "a value that is not a number");
}

PlanFile PlanFormat::finish() && {
  return {.topology_digest = std::move(digest_),
          .plan = std::move(builder_).build(),
          .certificate = std::move(certificate_),
          .unrouted = std::move(unrouted_),
          .limits = limits_,
          .segments = std::move(lists_)};
}

}  // namespace

Result<PlanFile> read_plan(const std::filesystem::path& file, const Topology& topology) {
  const auto text = read_whole_file(file, kPlanBytesMax);
  if (!text) return error_of(text);
  return parse_plan(*text, file.string(), topology);
}

Result<PlanFile> parse_plan(std::string_view text, std::string_view name, const Topology& topology) {
  const auto source = TextSource::open(text, name, kPlanBytesMax);
  if (!source) return error_of(source);
  PlanFormat format{*source, topology};
  if (auto read = read_json(*source, format); !read) return error_of(read);
  return std::move(format).finish();
}

}  // namespace wan::io
