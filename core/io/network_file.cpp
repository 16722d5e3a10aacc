#include "core/io/network_file.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/io/message_text.h"
#include "core/io/nearest_names.h"
#include "core/io/text_source.h"
#include "core/io/yaml_fields.h"
#include "core/io/yaml_tree.h"

namespace wan::io {
namespace {

constexpr std::size_t kNetworkBytesMax = 64 * kMebibyte;
constexpr std::size_t kNodesMax = 10'000;
constexpr std::size_t kEntriesMax = 100'000;  // of links: twice as many directed ones
constexpr std::size_t kPrefixesMax = 1'000;   // of a node
constexpr std::size_t kSrlgsMax = 100;        // of a link
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kAdjacenciesMax = 65'536;   // LOCATOR::1:N has 16 bits for N
constexpr std::uint64_t kMetricMax = 16'777'215;  // IS-IS wide metrics, RFC 5305
constexpr std::uint8_t kLocatorBitsMax = 64;
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/// What a name stands for already, and where in the file.
struct NameUse {
  std::string_view kind;
  std::size_t line = 0;
  std::size_t id = 0;  // of nodes and SRLGs
};

struct PrefixUse {
  IpPrefix prefix;
  std::size_t node = 0;
  std::size_t line = 0;
  std::string key;
};

bool by_prefix(const PrefixUse& a, const PrefixUse& b) { return a.prefix < b.prefix; }

bool holds(const IpPrefix& wide, const IpPrefix& narrow) {
  return wide.length <= narrow.length && wide.contains(narrow.address);
}

/// Takes the tree apart. The first thing that is wrong is kept and ends the reading.
class NetworkReader : private YamlFields {
 public:
  explicit NetworkReader(std::string_view name) : YamlFields{std::filesystem::path{name}} {}

  Result<NetworkDescription> read(const YamlValue& root) && {
    read_root(root);
    if (!error()) check_locators();
    if (!error()) check_prefixes();
    if (error()) return tl::unexpected<Error>{*error()};
    auto topology = Topology::make(std::move(nodes_), std::move(links_));
    if (!topology) return yaml_error(file_name(), root.line, {}, topology.error().message);
    network_.topology = *std::move(topology);
    return std::move(network_);
  }

 private:
  struct LinkEntry {
    std::array<std::size_t, 2> ends{};
    std::array<std::string, 2> ports;
    std::optional<BitRate> capacity;
    Duration delay{0};
    double metric = 1.0;
    std::vector<SrlgId> srlgs;
    std::string name;
    std::size_t line = 1;
  };

  void read_root(const YamlValue& root);
  void read_node(const YamlValue& value, const std::string& key);
  void read_prefixes(const YamlEntry& entry, const std::string& key);
  void read_link(const YamlValue& value, const std::string& key);
  void read_ends(const YamlEntry& entry, const std::string& key, LinkEntry& link);
  void read_ports(const YamlEntry& entry, const std::string& key, LinkEntry& link);
  void read_srlgs(const YamlEntry& entry, const std::string& key, LinkEntry& link);
  void add_link(LinkEntry link, const std::string& key);
  void check_locators();
  void check_prefixes();

  /// Every list item is a map; each is read until something is wrong.
  template <typename Read>
  void each(const YamlEntry& entry, std::size_t items_max, Read read) {
    const auto found = items(entry, entry.key, items_max);
    for (std::size_t i = 0; i < found.size() && !error(); ++i) {
      read(found[i], joined(entry.key, "[", i, "]"));
    }
  }
  std::optional<std::string> name_of(const YamlValue& value, std::size_t line, const std::string& key);
  /// False when the name stands for something already.
  bool claim(const std::string& name, NameUse use, const std::string& key);
  std::optional<IpPrefix> prefix_of(const YamlValue& value, std::size_t line, const std::string& key,
                                    std::string_view such_as);
  /// Two texts; nothing when the entry is no such list.
  std::optional<std::array<std::string, 2>> pair_of(const YamlEntry& entry, const std::string& key,
                                                    std::string_view what);

  NetworkDescription network_;
  std::vector<Node> nodes_;
  std::vector<Link> links_;
  std::unordered_map<std::string, NameUse> names_;           // nodes, links, both directions, SRLGs; looked up only
  std::unordered_map<std::string, std::size_t> port_lines_;  // "node port"; looked up only
  std::vector<std::size_t> links_leaving_;                   // by node
  std::vector<PrefixUse> locators_, prefixes_;
};

std::optional<std::string> NetworkReader::name_of(const YamlValue& value, std::size_t line, const std::string& key) {
  auto name = text(value, line, key, kNameBytesMax);
  if (name && name->find_first_not_of(kNameCharacters) != std::string::npos) {
    refuse(line, key, in_quotes(*name) + ": a name holds letters, digits, \".\", \"_\" and \"-\" only");
    return std::nullopt;
  }
  return name;
}

bool NetworkReader::claim(const std::string& name, NameUse use, const std::string& key) {
  const auto [at, is_new] = names_.emplace(name, use);
  if (is_new) return true;
  refuse(use.line, key, joined(in_quotes(name), " names ", at->second.kind, " already, on line ", at->second.line));
  return false;
}

std::optional<IpPrefix> NetworkReader::prefix_of(const YamlValue& value, std::size_t line, const std::string& key,
                                                 std::string_view such_as) {
  const auto prefix = value.kind == YamlValue::Kind::kScalar ? IpPrefix::parse(value.scalar) : std::nullopt;
  if (!prefix) {
    refuse(line, key,
           joined(shown(value), ": must be an address prefix with no bit set beyond its length, such as ", such_as));
  }
  return prefix;
}

std::optional<std::array<std::string, 2>> NetworkReader::pair_of(const YamlEntry& entry, const std::string& key,
                                                                 std::string_view what) {
  if (entry.value.kind != YamlValue::Kind::kList || entry.value.items.size() != 2) {
    refuse(entry.line, key, joined("must be a list of two ", what));
    return std::nullopt;
  }
  std::array<std::string, 2> pair;
  for (std::size_t end = 0; end < 2; ++end) {
    const YamlValue& item = entry.value.items[end];
    auto found = text(item, item.line, joined(key, "[", end, "]"), kNameBytesMax);
    if (!found) return std::nullopt;
    pair[end] = *std::move(found);
  }
  return pair;
}

void NetworkReader::read_root(const YamlValue& root) {
  const YamlEntry* nodes = nullptr;
  const YamlEntry* links = nullptr;
  const auto fields = entries(root, root.line, "", {"nodes", "links"});
  for (const YamlEntry& entry : fields) (entry.key == "nodes" ? nodes : links) = &entry;
  if (nodes == nullptr) refuse(root.line, "nodes", "is missing; a list of {name: ..., locator: ...}");
  if (links == nullptr) refuse(root.line, "links", "is missing; a list of {ends: [...], ports: [...], capacity: ...}");
  if (error()) return;
  each(*nodes, kNodesMax, [&](const YamlValue& value, const std::string& key) { read_node(value, key); });
  if (nodes_.empty()) refuse(nodes->line, "nodes", "must hold at least one node");
  links_leaving_.assign(nodes_.size(), 0);
  each(*links, kEntriesMax, [&](const YamlValue& value, const std::string& key) { read_link(value, key); });
}

void NetworkReader::read_node(const YamlValue& value, const std::string& key) {
  Node node;
  NodeSettings settings;
  bool locator = false;
  for (const YamlEntry& field : entries(value, value.line, key, {"name", "locator", "prefixes", "managed"})) {
    const std::string field_key = key + "." + field.key;
    if (field.key == "name") {
      if (auto name = name_of(field.value, field.line, field_key)) {
        claim(*name, {"a node", field.line, nodes_.size()}, field_key);
        node.name = *std::move(name);
      }
    } else if (field.key == "locator") {
      locator = true;
      const auto prefix = prefix_of(field.value, field.line, field_key, "fc00:0:1::/64");
      if (!prefix) return;
      if (!prefix->address.is_v6() || prefix->length == 0 || prefix->length > kLocatorBitsMax) {
        return refuse(
            field.line, field_key,
            prefix->to_string() + ": must be an IPv6 prefix of 1 to 64 bits; segments take the bits after it");
      }
      settings.locator = *prefix;
      locators_.push_back({*prefix, nodes_.size(), field.line, field_key});
    } else if (field.key == "prefixes") {
      read_prefixes(field, field_key);
    } else if (const auto managed = yes_no(field, field_key)) {
      settings.managed = *managed;
    }
  }
  if (node.name.empty()) refuse(value.line, key + ".name", "is missing");
  if (!locator) refuse(value.line, key + ".locator", "is missing; the node's SRv6 prefix, such as fc00:0:1::/64");
  nodes_.push_back(std::move(node));
  network_.nodes.push_back(std::move(settings));
}

void NetworkReader::read_prefixes(const YamlEntry& entry, const std::string& key) {
  const auto found = items(entry, key, kPrefixesMax);
  for (std::size_t i = 0; i < found.size() && !error(); ++i) {
    std::string item_key = joined(key, "[", i, "]");
    if (const auto prefix = prefix_of(found[i], found[i].line, item_key, "10.1.0.0/16")) {
      prefixes_.push_back({*prefix, nodes_.size(), found[i].line, std::move(item_key)});
    }
  }
}

void NetworkReader::read_link(const YamlValue& value, const std::string& key) {
  LinkEntry link;
  link.line = value.line;
  bool ends = false;
  bool ports = false;
  for (const YamlEntry& field :
       entries(value, value.line, key, {"ends", "ports", "capacity", "delay", "metric", "srlgs", "name"})) {
    const std::string field_key = key + "." + field.key;
    if (field.key == "ends") {
      ends = true;
      read_ends(field, field_key, link);
    } else if (field.key == "ports") {
      ports = true;
      read_ports(field, field_key, link);
    } else if (field.key == "capacity") {
      link.capacity = bit_rate(field, field_key);
    } else if (field.key == "delay") {
      link.delay = duration(field, field_key, Duration{0}, std::chrono::hours{1}).value_or(Duration{0});
    } else if (field.key == "metric") {
      if (const auto metric = whole(field, field_key, 1, kMetricMax)) link.metric = static_cast<double>(*metric);
    } else if (field.key == "srlgs") {
      read_srlgs(field, field_key, link);
    } else if (auto name = name_of(field.value, field.line, field_key)) {
      claim(*name, {"a link", field.line, 0}, field_key);
      link.name = *std::move(name);
    }
  }
  if (!ends) refuse(value.line, key + ".ends", "is missing; the two nodes, as in [ams, fra]");
  if (!ports) refuse(value.line, key + ".ports", "is missing; the port's name at each end, as in [to-fra, to-ams]");
  if (!link.capacity) refuse(value.line, key + ".capacity", "is missing; such as 20 Mbit/s");
  if (!error()) add_link(std::move(link), key);
}

void NetworkReader::read_ends(const YamlEntry& entry, const std::string& key, LinkEntry& link) {
  const auto pair = pair_of(entry, key, "nodes, as in [ams, fra]");
  if (!pair) return;
  for (std::size_t end = 0; end < 2; ++end) {
    const auto found = names_.find((*pair)[end]);
    if (found == names_.end() || found->second.kind != "a node") {
      std::vector<std::string> known;
      for (const Node& node : nodes_) known.push_back(node.name);
      return refuse(entry.value.items[end].line, joined(key, "[", end, "]"),
                    joined("no node ", in_quotes((*pair)[end]), "; there are ", nearest_names((*pair)[end], known)));
    }
    link.ends[end] = found->second.id;
  }
  if (link.ends[0] == link.ends[1]) refuse(entry.line, key, "a link leads from a node to another one");
}

void NetworkReader::read_ports(const YamlEntry& entry, const std::string& key, LinkEntry& link) {
  auto pair = pair_of(entry, key, "ports, as in [to-fra, to-ams]");
  if (!pair) return;
  for (std::size_t end = 0; end < 2; ++end) {
    const std::string& port = (*pair)[end];
    // Routers name their ports GigabitEthernet0/0/1 or eth0@if3: all that a shell takes as one word.
    if (std::any_of(port.begin(), port.end(), [](char c) { return c <= ' ' || c > '~'; })) {
      return refuse(entry.value.items[end].line, joined(key, "[", end, "]"),
                    in_quotes(port) + ": a port's name holds printable ASCII without spaces only");
    }
  }
  link.ports = *std::move(pair);
}

void NetworkReader::read_srlgs(const YamlEntry& entry, const std::string& key, LinkEntry& link) {
  const auto found = items(entry, key, kSrlgsMax);
  for (std::size_t i = 0; i < found.size() && !error(); ++i) {
    const std::string item_key = joined(key, "[", i, "]");
    const auto name = name_of(found[i], found[i].line, item_key);
    if (!name) return;
    const auto known = names_.find(*name);
    std::size_t id = network_.srlg_names.size();
    if (known != names_.end() && known->second.kind == "an SRLG") {
      id = known->second.id;
    } else if (claim(*name, {"an SRLG", found[i].line, id}, item_key)) {
      network_.srlg_names.push_back(*name);
    }
    link.srlgs.emplace_back(id);
  }
  std::sort(link.srlgs.begin(), link.srlgs.end());
  link.srlgs.erase(std::unique(link.srlgs.begin(), link.srlgs.end()), link.srlgs.end());
}

void NetworkReader::add_link(LinkEntry entry, const std::string& key) {
  for (std::size_t end = 0; end < 2; ++end) {
    const std::size_t from = entry.ends[end];
    const std::size_t to = entry.ends[1 - end];
    Link link;
    if (!entry.name.empty()) link.name.append(entry.name).append("/");
    link.name.append(nodes_[from].name).append("-").append(nodes_[to].name);
    if (entry.name.empty() && names_.contains(link.name)) {
      return refuse(entry.line, key,
                    joined(in_quotes(link.name), " names ", names_[link.name].kind, " already, on line ",
                           names_[link.name].line, "; give this link a name of its own with the key name"));
    }
    if (!claim(link.name, {"a link", entry.line, 0}, key)) return;

    const auto [port, is_new] = port_lines_.emplace(nodes_[from].name + " " + entry.ports[end], entry.line);
    if (!is_new) {
      return refuse(entry.line, key + ".ports",
                    joined("port ", in_quotes(entry.ports[end]), " of ", nodes_[from].name,
                           " has a link already, on line ", port->second));
    }
    if (++links_leaving_[from] > kAdjacenciesMax) {
      return refuse(
          entry.line, key + ".ends",
          joined(nodes_[from].name, " has more than ", kAdjacenciesMax, " links, which its segments cannot number"));
    }
    link.from = NodeId{from};
    link.to = NodeId{to};
    link.capacity = *entry.capacity;
    link.delay = entry.delay;
    link.weight = entry.metric;
    link.srlgs = entry.srlgs;
    network_.reverse.emplace_back(links_.size() + 1 - 2 * end);
    network_.ports.push_back(entry.ports[end]);
    network_.duplex_names.push_back(entry.name);
    links_.push_back(std::move(link));
  }
}

void NetworkReader::check_locators() {
  // Sorted, a prefix stands right before the first one that it holds.
  std::sort(locators_.begin(), locators_.end(), by_prefix);
  for (std::size_t i = 1; i < locators_.size(); ++i) {
    const PrefixUse& wide = locators_[i - 1];
    const PrefixUse& narrow = locators_[i];
    if (!holds(wide.prefix, narrow.prefix)) continue;
    const PrefixUse& later = wide.node > narrow.node ? wide : narrow;
    const PrefixUse& earlier = wide.node > narrow.node ? narrow : wide;
    return refuse(later.line, later.key,
                  joined(later.prefix.to_string(), " overlaps the locator of ", nodes_[earlier.node].name, " on line ",
                         earlier.line));
  }
}

void NetworkReader::check_prefixes() {
  for (const PrefixUse& use : prefixes_) {
    auto after = std::upper_bound(locators_.begin(), locators_.end(), use, by_prefix);
    if (after != locators_.begin() && holds(std::prev(after)->prefix, use.prefix)) {
      return refuse(use.line, use.key,
                    joined(use.prefix.to_string(), " lies in the locator of ", nodes_[std::prev(after)->node].name));
    }
    network_.nodes[use.node].prefixes.push_back(use.prefix);
  }
  std::stable_sort(prefixes_.begin(), prefixes_.end(), by_prefix);
  for (std::size_t i = 1; i < prefixes_.size(); ++i) {
    const PrefixUse& first = prefixes_[i - 1];
    const PrefixUse& second = prefixes_[i];
    if (first.prefix != second.prefix) continue;
    return refuse(
        second.line, second.key,
        joined(second.prefix.to_string(), " lies behind ", nodes_[first.node].name, " already, on line ", first.line));
  }
}

}  // namespace

std::vector<LinkId> NetworkDescription::links_named(std::string_view target) const {
  std::vector<LinkId> found;
  if (target.empty()) return found;
  const auto node = topology.find_node(target);
  const auto srlg = std::find(srlg_names.begin(), srlg_names.end(), target);
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.link(LinkId{l});
    const bool of_node = node && (link.from == *node || link.to == *node);
    const bool of_srlg = srlg != srlg_names.end() &&
                         std::find(link.srlgs.begin(), link.srlgs.end(),
                                   SrlgId(static_cast<std::size_t>(srlg - srlg_names.begin()))) != link.srlgs.end();
    if (of_node || of_srlg || link.name == target || duplex_names[l] == target) found.emplace_back(l);
  }
  return found;
}

Result<NetworkDescription> read_network(const std::filesystem::path& file) {
  const auto text = read_whole_file(file, kNetworkBytesMax);
  if (!text) return error_of(text);
  return parse_network(*text, file.string());
}

Result<NetworkDescription> parse_network(std::string_view text, std::string_view name) {
  const auto root = parse_yaml(text, name, kNetworkBytesMax);
  if (!root) return error_of(root);
  return NetworkReader{name}.read(*root);
}

}  // namespace wan::io
