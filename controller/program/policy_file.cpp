#include "controller/program/policy_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/io/message_text.h"
#include "core/io/nearest_names.h"
#include "core/io/yaml_fields.h"
#include "core/io/yaml_tree.h"
#include "core/time.h"

namespace wan::controller {
namespace {

using io::in_quotes;
using io::joined;
using io::nearest_names;
using io::YamlEntry;
using io::YamlValue;

constexpr std::size_t kClassesMax = 65;  // one for each DSCP value, and the default
constexpr std::size_t kDscps = 64;
constexpr std::size_t kTargetsMax = 1'000;
constexpr std::size_t kPinsMax = 10'000;
constexpr std::size_t kWindowsMax = 1'000;
constexpr std::uint64_t kPathsMax = 64;
constexpr std::size_t kClassNameBytesMax = 64;
constexpr std::size_t kTargetBytesMax = 256;
constexpr double kUtilizationMin = 0.01, kUtilizationMax = 10.0;
constexpr double kFactorMax = 1e6;
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/// Takes the tree apart. The first thing that is wrong is kept and ends the reading.
class PolicyReader : private io::YamlFields {
 public:
  PolicyReader(std::string_view name, const io::NetworkDescription& network)
      : YamlFields{std::filesystem::path{name}}, network_{network}, topology_{network.topology} {}

  Result<PolicySet> read(const YamlValue& root) && {
    read_root(root);
    if (error()) return fail(unknown_name_ ? ErrorCode::kNotFound : error()->code, error()->message);
    return std::move(policies_);
  }

 private:
  /// What an operator may name where links are meant.
  enum class Targets { kLinks, kLinksAndNodes };

  void read_root(const YamlValue& root);
  void read_classes(const YamlEntry& entry);
  void read_class(const YamlValue& value, const std::string& key);
  void read_class_name(const YamlEntry& entry, const std::string& key, ClassPolicy& policy);
  void read_dscps(const YamlEntry& entry, const std::string& key, ClassPolicy& policy);
  void read_pin(const YamlValue& value, const std::string& key);
  void read_via(const YamlEntry& entry, const std::string& key, Pin& pin);
  void take_via(const YamlValue& item, const std::string& key, std::vector<NodeId>& met, Pin& pin);
  void move_to(NodeId next, std::size_t line, const std::string& key, std::vector<NodeId>& met, Pin& pin);
  void read_drain(const YamlEntry& entry);
  void read_window(const YamlValue& value, const std::string& key);
  void read_guard(const YamlEntry& entry);

  /// The items of a list of maps, read one after the other until something is wrong.
  template <typename Read>
  void each(const YamlEntry& entry, std::size_t items_max, Read read) {
    const auto found = items(entry, entry.key, items_max);
    for (std::size_t i = 0; i < found.size() && !error(); ++i) read(found[i], joined(entry.key, "[", i, "]"));
  }
  void refuse_unknown(std::size_t line, const std::string& key, std::string_view what, std::string_view name,
                      const std::vector<std::string>& known) {
    if (!error()) unknown_name_ = true;
    refuse(line, key, joined("no ", what, " ", in_quotes(name), "; there are ", nearest_names(name, known)));
  }
  std::optional<NodeId> node(const YamlEntry& entry, const std::string& key);
  std::optional<TrafficClass> traffic_class(const YamlEntry& entry, const std::string& key);
  /// The links that a word stands for, added to those found so far; nothing when it stands for none.
  std::optional<std::string> target(const YamlValue& value, std::size_t line, const std::string& key, Targets allowed,
                                    std::vector<LinkId>& links);
  std::optional<Timestamp> time(const YamlEntry& entry, const std::string& key);
  [[nodiscard]] std::vector<std::string> node_names() const;
  [[nodiscard]] std::vector<std::string> class_names() const;
  [[nodiscard]] std::vector<std::string> target_names(Targets allowed) const;

  const io::NetworkDescription& network_;
  const Topology& topology_;
  PolicySet policies_;
  std::array<std::optional<std::size_t>, kDscps> class_of_dscp_;
  bool unknown_name_ = false;  // what is wrong is a name that stands for nothing
};

void sort_once(std::vector<LinkId>& links) {
  std::sort(links.begin(), links.end());
  links.erase(std::unique(links.begin(), links.end()), links.end());
}

std::vector<std::string> PolicyReader::node_names() const {
  std::vector<std::string> names;
  for (const Node& node : topology_.nodes()) names.push_back(node.name);
  return names;
}

std::vector<std::string> PolicyReader::class_names() const {
  std::vector<std::string> names;
  for (const ClassPolicy& policy : policies_.classes) names.push_back(policy.name);
  return names;
}

std::vector<std::string> PolicyReader::target_names(Targets allowed) const {
  std::vector<std::string> names = network_.srlg_names;
  for (std::size_t l = 0; l < topology_.link_count(); ++l) {
    const std::string& both = network_.duplex_names[l];
    if (!both.empty() && network_.reverse[l].index() > l) names.push_back(both);
    names.push_back(topology_.links()[l].name);
  }
  if (allowed == Targets::kLinksAndNodes) {
    for (const Node& node : topology_.nodes()) names.push_back(node.name);
  }
  return names;
}

std::optional<NodeId> PolicyReader::node(const YamlEntry& entry, const std::string& key) {
  const auto name = text(entry, key, kTargetBytesMax);
  if (!name) return std::nullopt;
  const auto found = topology_.find_node(*name);
  if (!found) refuse_unknown(entry.line, key, "node", *name, node_names());
  return found;
}

std::optional<TrafficClass> PolicyReader::traffic_class(const YamlEntry& entry, const std::string& key) {
  const auto name = text(entry, key, kTargetBytesMax);
  if (!name) return std::nullopt;
  const auto names = class_names();
  const auto found = std::find(names.begin(), names.end(), *name);
  if (found != names.end()) return TrafficClass{static_cast<std::size_t>(found - names.begin())};
  refuse_unknown(entry.line, key, "class", *name, names);
  return std::nullopt;
}

std::optional<std::string> PolicyReader::target(const YamlValue& value, std::size_t line, const std::string& key,
                                                Targets allowed, std::vector<LinkId>& links) {
  auto name = text(value, line, key, kTargetBytesMax);
  if (!name) return std::nullopt;
  const auto found = network_.links_named(*name);
  const bool is_node = topology_.find_node(*name).has_value();
  if (is_node && allowed == Targets::kLinks) {
    refuse(line, key, in_quotes(*name) + " is a node; only links and SRLGs are meant here");
    return std::nullopt;
  }
  if (found.empty() && !is_node) {
    refuse_unknown(line, key, allowed == Targets::kLinks ? "link or SRLG" : "link, node or SRLG", *name,
                   target_names(allowed));
    return std::nullopt;
  }
  links.insert(links.end(), found.begin(), found.end());
  return name;
}

std::optional<Timestamp> PolicyReader::time(const YamlEntry& entry, const std::string& key) {
  // Unix seconds would be read too, but are no way for an operator to say when.
  const bool dated = entry.value.kind == YamlValue::Kind::kScalar && entry.value.scalar.find('-') != std::string::npos;
  const auto found = dated ? parse_timestamp(entry.value.scalar) : std::nullopt;
  if (!found) refuse(entry.line, key, shown(entry.value) + ": must be a time such as 2026-12-01T01:00:00Z");
  return found;
}

void PolicyReader::read_root(const YamlValue& root) {
  const auto fields = entries(
      root, root.line, "",
      {"classes", "utilization_target", "max_moved_share", "paths_max", "pins", "drain", "maintenance", "guard"});
  // Pins name classes, wherever in the file these stand.
  for (const YamlEntry& entry : fields) {
    if (entry.key == "classes") read_classes(entry);
  }
  for (const YamlEntry& entry : fields) {
    if (entry.key == "utilization_target") {
      policies_.utilization_target = number(entry, entry.key, kUtilizationMin, kUtilizationMax);
    } else if (entry.key == "max_moved_share") {
      policies_.max_moved_share = number(entry, entry.key, 0.0, 1.0);
    } else if (entry.key == "paths_max") {
      if (const auto most = whole(entry, entry.key, 1, kPathsMax)) policies_.paths_max = *most;
    } else if (entry.key == "pins") {
      each(entry, kPinsMax, [&](const YamlValue& value, const std::string& key) { read_pin(value, key); });
    } else if (entry.key == "drain") {
      read_drain(entry);
    } else if (entry.key == "maintenance") {
      each(entry, kWindowsMax, [&](const YamlValue& value, const std::string& key) { read_window(value, key); });
    } else if (entry.key == "guard") {
      read_guard(entry);
    }
  }
}

void PolicyReader::read_classes(const YamlEntry& entry) {
  policies_.classes.clear();
  each(entry, kClassesMax, [&](const YamlValue& value, const std::string& key) { read_class(value, key); });
  if (policies_.classes.empty()) refuse(entry.line, entry.key, "must hold at least the default class, {name: default}");
}

void PolicyReader::read_class(const YamlValue& value, const std::string& key) {
  constexpr std::uint64_t kPriorityMax = 1'000;
  ClassPolicy policy;
  for (const YamlEntry& field :
       entries(value, value.line, key, {"name", "dscp", "priority", "latency_max", "utilization_target", "avoid"})) {
    const std::string field_key = key + "." + field.key;
    if (field.key == "name") {
      read_class_name(field, field_key, policy);
    } else if (field.key == "dscp") {
      read_dscps(field, field_key, policy);
    } else if (field.key == "priority") {
      if (const auto priority = whole(field, field_key, 0, kPriorityMax)) policy.priority = static_cast<int>(*priority);
    } else if (field.key == "latency_max") {
      policy.latency_max = duration(field, field_key, std::chrono::microseconds{1}, std::chrono::hours{1});
    } else if (field.key == "utilization_target") {
      policy.utilization_target = number(field, field_key, kUtilizationMin, kUtilizationMax);
    } else {
      const auto words = items(field, field_key, kTargetsMax);
      for (std::size_t i = 0; i < words.size() && !error(); ++i) {
        (void)target(words[i], words[i].line, joined(field_key, "[", i, "]"), Targets::kLinks, policy.avoid);
      }
      sort_once(policy.avoid);
    }
  }
  if (policy.name.empty()) refuse(value.line, key + ".name", "is missing");
  policies_.classes.push_back(std::move(policy));
}

void PolicyReader::read_class_name(const YamlEntry& entry, const std::string& key, ClassPolicy& policy) {
  auto name = text(entry, key, kClassNameBytesMax);
  if (!name) return;
  if (name->find_first_not_of(kNameCharacters) != std::string::npos) {
    return refuse(entry.line, key, in_quotes(*name) + ": a name holds letters, digits, \".\", \"_\" and \"-\" only");
  }
  const auto names = class_names();
  if (std::find(names.begin(), names.end(), *name) != names.end()) {
    return refuse(entry.line, key, in_quotes(*name) + " names a class already");
  }
  policy.name = *std::move(name);
}

void PolicyReader::read_dscps(const YamlEntry& entry, const std::string& key, ClassPolicy& policy) {
  const std::size_t cls = policies_.classes.size();
  const auto found = items(entry, key, kDscps);
  if (cls == 0 && !found.empty()) {
    return refuse(entry.line, key, "the first class is for traffic that no other class names; it has no DSCP values");
  }
  for (std::size_t i = 0; i < found.size() && !error(); ++i) {
    const std::string item_key = joined(key, "[", i, "]");
    const auto dscp = whole({.key = {}, .line = found[i].line, .value = found[i]}, item_key, 0, kDscps - 1);
    if (!dscp) return;
    auto& owner = class_of_dscp_[*dscp];
    if (owner == cls) return refuse(found[i].line, item_key, joined(*dscp, " stands twice"));
    if (owner) {
      return refuse(found[i].line, item_key,
                    joined(*dscp, " is of class ", policies_.classes[*owner].name, " already"));
    }
    owner = cls;
    policy.dscps.push_back(static_cast<std::uint8_t>(*dscp));
  }
  std::sort(policy.dscps.begin(), policy.dscps.end());
}

void PolicyReader::read_pin(const YamlValue& value, const std::string& key) {
  Pin pin;
  const YamlEntry* from = nullptr;
  const YamlEntry* to = nullptr;
  const YamlEntry* via = nullptr;
  const auto fields = entries(value, value.line, key, {"from", "to", "class", "via"});
  for (const YamlEntry& field : fields) {
    if (field.key == "class") {
      pin.cls = traffic_class(field, key + ".class");
    } else {
      (field.key == "from" ? from : field.key == "to" ? to : via) = &field;
    }
  }
  if (from == nullptr) return refuse(value.line, key + ".from", "is missing; the node where the traffic enters");
  if (to == nullptr) return refuse(value.line, key + ".to", "is missing; the node where the traffic leaves");
  if (via == nullptr) return refuse(value.line, key + ".via", "is missing; the nodes in travel order, both ends too");
  const auto first = node(*from, key + ".from");
  const auto last = node(*to, key + ".to");
  if (!first || !last) return;
  if (*first == *last) return refuse(to->line, key + ".to", "must be another node than from");
  pin.from = *first;
  pin.to = *last;
  read_via(*via, key + ".via", pin);
  if (error()) return;
  for (const Pin& other : policies_.pins) {
    if (other.from == pin.from && other.to == pin.to && (!other.cls || !pin.cls || other.cls == pin.cls)) {
      return refuse(value.line, key, "pins traffic that another pin holds already");
    }
  }
  policies_.pins.push_back(std::move(pin));
}

void PolicyReader::read_via(const YamlEntry& entry, const std::string& key, Pin& pin) {
  if (entry.value.kind != YamlValue::Kind::kList || entry.value.items.empty()) {
    return refuse(entry.line, key, "must be a list of nodes in travel order, as in [ams, core7, fra]");
  }
  std::vector<NodeId> met{pin.from};
  const auto found = items(entry, key, 2 * topology_.node_count());
  for (std::size_t i = 0; i < found.size() && !error(); ++i) {
    const std::string item_key = joined(key, "[", i, "]");
    const auto name = text(found[i], found[i].line, item_key, kTargetBytesMax);
    if (!name) return;
    if (i == 0 && *name != topology_.node(pin.from).name) {
      return refuse(found[i].line, item_key,
                    joined("must be ", topology_.node(pin.from).name, ", where the pin begins"));
    }
    if (i > 0) take_via(found[i], item_key, met, pin);
  }
  if (!error() && met.back() != pin.to) {
    refuse(entry.line, key,
           joined("ends at ", topology_.node(met.back()).name, ", not at ", topology_.node(pin.to).name));
  }
}

/// One more word of a pin's path: the next node, or the link that leads there where several do.
void PolicyReader::take_via(const YamlValue& item, const std::string& key, std::vector<NodeId>& met, Pin& pin) {
  const NodeId at = met.back();
  if (const auto next = topology_.find_node(item.scalar)) {
    const bool named_by_link = !pin.links.empty() && topology_.link(pin.links.back()).to == *next && at == *next;
    if (named_by_link) return;
    const auto links = topology_.links_between(at, *next);
    if (links.size() == 1) {
      pin.links.push_back(links[0]);
      return move_to(*next, item.line, key, met, pin);
    }
    std::vector<std::string> names;
    for (const LinkId link :
         links.empty() ? std::vector<LinkId>{topology_.out_links(at).begin(), topology_.out_links(at).end()} : links) {
      names.push_back(links.empty() ? topology_.node(topology_.link(link).to).name : topology_.link(link).name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return refuse(item.line, key,
                  links.empty() ? joined("no link leads from ", topology_.node(at).name, " to ", item.scalar,
                                         "; it has links to ", nearest_names(item.scalar, names))
                                : joined("several links lead from ", topology_.node(at).name, " to ", item.scalar,
                                         "; write the one meant between them: ", nearest_names(item.scalar, names)));
  }
  for (const LinkId link : network_.links_named(item.scalar)) {
    const bool is_link = topology_.link(link).name == item.scalar || network_.duplex_names[link.index()] == item.scalar;
    if (!is_link || topology_.link(link).from != at) continue;
    pin.links.push_back(link);
    return move_to(topology_.link(link).to, item.line, key, met, pin);
  }
  std::vector<std::string> known = node_names();
  for (const LinkId link : topology_.out_links(at)) known.push_back(topology_.link(link).name);
  refuse_unknown(item.line, key, joined("node, or link of ", topology_.node(at).name, ","), item.scalar, known);
}

void PolicyReader::move_to(NodeId next, std::size_t line, const std::string& key, std::vector<NodeId>& met, Pin& pin) {
  if (std::find(met.begin(), met.end(), next) != met.end()) {
    return refuse(line, key, joined("the path meets ", topology_.node(next).name, " twice"));
  }
  if (met.back() == pin.to) return refuse(line, key, joined("the path goes on after ", topology_.node(pin.to).name));
  met.push_back(next);
}

void PolicyReader::read_drain(const YamlEntry& entry) {
  each(entry, kTargetsMax, [&](const YamlValue& value, const std::string& key) {
    auto word = target(value, value.line, key, Targets::kLinksAndNodes, policies_.drained_links);
    if (word) policies_.drain.push_back(*std::move(word));
  });
  sort_once(policies_.drained_links);
}

void PolicyReader::read_window(const YamlValue& value, const std::string& key) {
  MaintenanceWindow window;
  std::optional<Timestamp> from, to;
  for (const YamlEntry& field : entries(value, value.line, key, {"target", "from", "to"})) {
    const std::string field_key = key + "." + field.key;
    if (field.key == "target") {
      auto word = target(field.value, field.line, field_key, Targets::kLinksAndNodes, window.links);
      if (!word) return;
      window.target = *std::move(word);
    } else {
      (field.key == "from" ? from : to) = time(field, field_key);
    }
  }
  if (window.target.empty()) refuse(value.line, key + ".target", "is missing; a link, a node or an SRLG");
  if (!from) refuse(value.line, key + ".from", "is missing; such as 2026-12-01T01:00:00Z");
  if (!to) refuse(value.line, key + ".to", "is missing; such as 2026-12-01T05:00:00Z");
  if (error()) return;
  if (*to <= *from) return refuse(value.line, key + ".to", "must be later than from");
  window.from = *from;
  window.to = *to;
  policies_.maintenance.push_back(std::move(window));
}

void PolicyReader::read_guard(const YamlEntry& entry) {
  constexpr std::uint64_t kHoldsMax = 10'000;
  PolicySet::Guard& guard = policies_.guard;
  for (const YamlEntry& field :
       entries(entry.value, entry.line, entry.key, {"level_factor", "jump_factor", "wild_jump_factor", "holds_max"})) {
    const std::string key = "guard." + field.key;
    if (field.key == "level_factor") {
      guard.level_factor = number(field, key, 1.0, kFactorMax);
    } else if (field.key == "jump_factor") {
      guard.jump_factor = number(field, key, 1.0, kFactorMax);
    } else if (field.key == "wild_jump_factor") {
      guard.wild_jump_factor = number(field, key, 1.0, kFactorMax);
    } else if (const auto holds = whole(field, key, 0, kHoldsMax)) {
      guard.holds_max = *holds;
    }
  }
}

}  // namespace

Result<PolicySet> parse_policies(std::string_view text, std::string_view name, const io::NetworkDescription& network) {
  const auto root = io::parse_yaml(text, name);
  if (!root) return io::error_of(root);
  return PolicyReader{name, network}.read(*root);
}

}  // namespace wan::controller
