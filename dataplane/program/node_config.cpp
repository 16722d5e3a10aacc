#include "dataplane/program/node_config.h"

#include <algorithm>
#include <charconv>

#include "core/io/message_text.h"
#include "core/io/text_source.h"
#include "core/io/yaml_fields.h"
#include "core/io/yaml_tree.h"

namespace wan::dataplane {
namespace {

using io::YamlEntry;
using io::YamlValue;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1000;
constexpr std::size_t kListMax = 10'000;
constexpr std::uint32_t kMtuMax = 9600;

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  MacAddress mac{};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < 6; ++i) {
    const char* at = text.data() + 3 * i;
    if (i < 5 && at[2] != ':') return std::nullopt;
    const auto [end, code] = std::from_chars(at, at + 2, mac[i], 16);
    if (code != std::errc{} || end != at + 2) return std::nullopt;
  }
  return mac;
}

class NodeConfigReader : private io::YamlFields {
 public:
  explicit NodeConfigReader(const std::filesystem::path& file) : YamlFields{file} {}

  Result<NodeConfig> read(const YamlValue& root) && {
    read_root(root);
    if (error()) return tl::unexpected<Error>{*error()};
    return std::move(config_);
  }

 private:
  void read_root(const YamlValue& root);
  void read_port(const YamlValue& value, const std::string& key);
  void check_port(const YamlValue& value, const std::string& key, const PortFacts& port, std::size_t devices);
  void read_address(const YamlValue& item, const std::string& key, PortFacts& port);
  void read_hello(const YamlEntry& entry);
  void read_flows(const YamlEntry& entry);
  void read_ipfix(const YamlEntry& entry);
  void read_log(const YamlEntry& entry);
  void read_route(const YamlValue& value, const std::string& key);
  void read_prefix(const YamlValue& value, const std::string& key);

  std::optional<std::string> name(const YamlEntry& entry, const std::string& key) {
    auto value = text(entry, key, kNameBytesMax);
    if (value && !is_name(*value)) {
      refuse(entry.line, key, io::in_quotes(*value) + ": must be letters, digits, '.', '_' and '-'");
      return std::nullopt;
    }
    return value;
  }
  std::optional<IpPrefix> prefix(const YamlEntry& entry, const std::string& key) {
    const auto value = text(entry, key, kNameBytesMax);
    const auto found = value ? IpPrefix::parse(*value) : std::nullopt;
    if (value && !found) refuse(entry.line, key, io::in_quotes(*value) + ": must be a prefix such as 10.1.0.0/16");
    return found;
  }
  std::optional<IpAddress> address(const YamlEntry& entry, const std::string& key) {
    const auto value = text(entry, key, kNameBytesMax);
    const auto found = value ? IpAddress::parse(*value) : std::nullopt;
    if (value && !found) refuse(entry.line, key, io::in_quotes(*value) + ": must be an address such as fd00:17::7");
    return found;
  }
  template <typename T, typename U>
  static void keep(const std::optional<T>& value, U& into) {
    if (value) into = static_cast<U>(*value);
  }

  NodeConfig config_;
};

void NodeConfigReader::read_root(const YamlValue& root) {
  std::vector<YamlEntry> later;  // what names ports
  for (const YamlEntry& entry :
       entries(root, root.line, "",
               {"node", "locator", "daemon", "report_interval", "workers", "memory", "huge_pages", "nice", "hello",
                "ports", "routes", "prefixes", "flows", "ipfix", "log"})) {
    if (entry.key == "node") {
      keep(name(entry, entry.key), config_.facts.name);
    } else if (entry.key == "locator") {
      const auto locator = prefix(entry, entry.key);
      if (locator && (!locator->address.is_v6() || locator->length > 64)) {
        refuse(entry.line, entry.key, "must be an IPv6 prefix of at most 64 bits");
      }
      keep(locator, config_.facts.locator);
    } else if (entry.key == "daemon") {
      config_.daemon = text(entry, entry.key, kTextBytesMax);
    } else if (entry.key == "report_interval") {
      const auto interval = duration(entry, entry.key, std::chrono::seconds{1}, std::chrono::hours{1});
      if (interval && *interval % std::chrono::seconds{1} != Duration{0}) {
        refuse(entry.line, entry.key, "must be whole seconds");
      }
      keep(interval, config_.report_interval);
    } else if (entry.key == "workers") {
      keep(whole(entry, entry.key, 1, 16), config_.engine.workers);
    } else if (entry.key == "memory") {
      const auto bytes = byte_size(entry, entry.key, std::uint64_t{32} << 20, std::uint64_t{64} << 30);
      if (bytes) config_.engine.memory_mib = *bytes >> 20;
    } else if (entry.key == "huge_pages") {
      keep(yes_no(entry, entry.key), config_.engine.huge_pages);
    } else if (entry.key == "nice") {
      keep(number(entry, entry.key, -20, 19), config_.nice);
    } else if (entry.key == "hello") {
      read_hello(entry);
    } else if (entry.key == "ports") {
      const auto ports = items(entry, entry.key, NodeFacts::kPortsMax);
      for (std::size_t i = 0; i < ports.size() && !error(); ++i) {
        read_port(ports[i], std::string{"ports["}.append(std::to_string(i)).append("]"));
      }
    } else if (entry.key == "flows") {
      read_flows(entry);
    } else if (entry.key == "ipfix") {
      read_ipfix(entry);
    } else if (entry.key == "log") {
      read_log(entry);
    } else {
      later.push_back(entry);
    }
  }
  for (const YamlEntry& entry : later) {
    const auto found = items(entry, entry.key, kListMax);
    for (std::size_t i = 0; i < found.size() && !error(); ++i) {
      const std::string key = std::string{entry.key}.append("[").append(std::to_string(i)).append("]");
      entry.key == "routes" ? read_route(found[i], key) : read_prefix(found[i], key);
    }
  }
  if (config_.facts.name.empty()) refuse(root.line, "node", "is missing; the node's name in the daemon's network file");
  if (config_.facts.locator.length == 0) refuse(root.line, "locator", "is missing; as in fc00:0:1::/64");
  if (config_.facts.ports.empty()) refuse(root.line, "ports", "is missing; at least one port");
}

void NodeConfigReader::read_port(const YamlValue& value, const std::string& key) {
  PortFacts port;
  PortDevice device;
  std::optional<bool> hello;
  std::optional<MacAddress> fixed;
  std::size_t devices = 0;
  for (const YamlEntry& field :
       entries(value, value.line, key,
               {"name", "device", "vdev", "pci", "mtu", "addresses", "neighbor", "neighbor_mac", "hello"})) {
    const std::string field_key = std::string{key}.append(".").append(field.key);
    if (field.key == "name") {
      keep(name(field, field_key), port.name);
    } else if (field.key == "device" || field.key == "vdev" || field.key == "pci") {
      ++devices;
      device.kind = field.key == "device" ? PortDevice::Kind::kKernel
                    : field.key == "vdev" ? PortDevice::Kind::kVirtual
                                          : PortDevice::Kind::kPci;
      keep(text(field, field_key, kTextBytesMax), device.device);
    } else if (field.key == "mtu") {
      keep(whole(field, field_key, 1280, kMtuMax), port.mtu);
    } else if (field.key == "addresses") {
      for (const YamlValue& item : items(field, field_key, 16)) read_address(item, field_key, port);
    } else if (field.key == "neighbor") {
      port.neighbor = address(field, field_key);
    } else if (field.key == "neighbor_mac") {
      const auto text_of_mac = text(field, field_key, kNameBytesMax);
      fixed = text_of_mac ? parse_mac(*text_of_mac) : std::nullopt;
      if (fixed && ((*fixed)[0] & 1) != 0)
        refuse(field.line, field_key, "is the address of a group, not of one router");
      if (!fixed) refuse(field.line, field_key, "must be six bytes such as 02:00:00:00:00:07");
    } else {
      hello = yes_no(field, field_key);
    }
  }
  check_port(value, key, port, devices);
  if (fixed && !port.neighbor) refuse(value.line, key, "has neighbor_mac without neighbor");
  if (hello == true && !port.neighbor) refuse(value.line, key, "sends hellos but has no neighbor");
  if (error()) return;
  if (fixed) config_.fixed_neighbors.push_back({config_.facts.ports.size(), *fixed});
  config_.hello_ports.push_back(hello.value_or(port.is_core()));
  config_.facts.ports.push_back(std::move(port));
  config_.engine.devices.push_back(std::move(device));
}

void NodeConfigReader::check_port(const YamlValue& value, const std::string& key, const PortFacts& port,
                                  std::size_t devices) {
  if (port.name.empty()) return refuse(value.line, key + ".name", "is missing");
  if (config_.facts.find_port(port.name)) return refuse(value.line, key + ".name", port.name + " stands twice");
  if (devices != 1) return refuse(value.line, key, "needs one of device, vdev and pci");
  if (!port.neighbor) return;
  const bool reachable = std::any_of(port.addresses.begin(), port.addresses.end(),
                                     [&](const auto& own) { return own.address.family() == port.neighbor->family(); });
  if (!port.neighbor->is_v6()) return refuse(value.line, key + ".neighbor", "must be an IPv6 address");
  if (!reachable) refuse(value.line, key, "needs an IPv6 address of its own beside its neighbor");
}

void NodeConfigReader::read_address(const YamlValue& item, const std::string& key, PortFacts& port) {
  const auto value = text(item, item.line, key, kNameBytesMax);
  if (!value) return;
  const std::size_t slash = value->find('/');
  const auto address = IpAddress::parse(std::string_view{*value}.substr(0, slash));
  unsigned length = 0;
  bool sound = address && slash != std::string::npos;
  if (sound) {
    const char* first = value->data() + slash + 1;
    const auto [end, code] = std::from_chars(first, value->data() + value->size(), length);
    sound = code == std::errc{} && end == value->data() + value->size() && length <= address->size() * 8;
  }
  if (!sound) return refuse(item.line, key, io::in_quotes(*value) + ": must be an address such as 10.1.0.1/24");
  port.addresses.push_back({*address, static_cast<std::uint8_t>(length)});
}

void NodeConfigReader::read_hello(const YamlEntry& entry) {
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"interval", "misses"})) {
    const std::string key = "hello." + field.key;
    if (field.key == "interval") {
      keep(duration(field, key, std::chrono::milliseconds{5}, std::chrono::seconds{10}), config_.hello.interval);
    } else {
      keep(whole(field, key, 2, 100), config_.hello.misses);
    }
  }
}

void NodeConfigReader::read_flows(const YamlEntry& entry) {
  FlowCacheOptions& flows = config_.engine.flows;
  for (const YamlEntry& field :
       entries(entry.value, entry.line, entry.key, {"memory", "active_timeout", "idle_timeout"})) {
    const std::string key = "flows." + field.key;
    if (field.key == "memory") {
      keep(byte_size(field, key, 65536, std::uint64_t{64} << 30), flows.memory_bytes);
    } else {
      keep(duration(field, key, Duration{0}, std::chrono::hours{24}),
           field.key == "active_timeout" ? flows.active_timeout : flows.idle_timeout);
    }
  }
}

void NodeConfigReader::read_ipfix(const YamlEntry& entry) {
  IpfixTarget target;
  for (const YamlEntry& field :
       entries(entry.value, entry.line, entry.key, {"collector", "file", "observation_domain", "template_interval"})) {
    const std::string key = "ipfix." + field.key;
    if (field.key == "collector") {
      keep(text(field, key, kTextBytesMax), target.collector);
    } else if (field.key == "file") {
      keep(path(field, key), target.file);
    } else if (field.key == "observation_domain") {
      keep(whole(field, key, 0, UINT32_MAX), target.observation_domain);
    } else {
      keep(duration(field, key, std::chrono::seconds{1}, std::chrono::hours{24}), target.template_interval);
    }
  }
  if (target.collector.empty() == target.file.empty()) {
    refuse(entry.line, entry.key, "needs one of collector (HOST:PORT) and file");
  }
  config_.ipfix = std::move(target);
}

void NodeConfigReader::read_log(const YamlEntry& entry) {
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"level", "format"})) {
    if (field.key == "level") {
      if (choice(field, "log.level", {"trace", "debug", "info", "warning", "error"})) {
        config_.log_level = field.value.scalar;
      }
    } else if (const auto format = choice(field, "log.format", {"text", "json"})) {
      config_.log_json = *format == 1;
    }
  }
}

void NodeConfigReader::read_route(const YamlValue& value, const std::string& key) {
  SidRoute route;
  for (const YamlEntry& field : entries(value, value.line, key, {"locator", "port"})) {
    if (field.key == "locator") {
      keep(prefix(field, key + ".locator"), route.locator);
    } else {
      keep(name(field, key + ".port"), route.port);
    }
  }
  const auto port = config_.facts.find_port(route.port);
  if (!port || !config_.facts.ports[*port].is_core()) refuse(value.line, key + ".port", "must name a core port");
  if (!route.locator.address.is_v6()) refuse(value.line, key + ".locator", "must be an IPv6 prefix");
  config_.first_program.routes.push_back(std::move(route));
}

void NodeConfigReader::read_prefix(const YamlValue& value, const std::string& key) {
  PrefixOwner owner;
  EgressNode egress;
  std::optional<IpPrefix> found;
  for (const YamlEntry& field : entries(value, value.line, key, {"prefix", "node", "sid"})) {
    if (field.key == "prefix") {
      found = prefix(field, key + ".prefix");
    } else if (field.key == "node") {
      keep(name(field, key + ".node"), owner.node);
    } else {
      keep(address(field, key + ".sid"), egress.decapsulation_sid);
    }
  }
  if (!found || owner.node.empty() || !egress.decapsulation_sid.is_v6()) {
    return refuse(value.line, key, "needs prefix, node and sid (the node's decapsulation segment)");
  }
  owner.prefix = *found;
  egress.name = owner.node;
  auto& known = config_.first_program.egresses;
  const auto same =
      std::find_if(known.begin(), known.end(), [&](const EgressNode& e) { return e.name == egress.name; });
  if (same == known.end()) {
    known.push_back(std::move(egress));
  } else if (*same != egress) {
    return refuse(value.line, key + ".sid", owner.node + " has another sid above");
  }
  config_.first_program.prefixes.push_back(std::move(owner));
}

}  // namespace

Result<NodeConfig> read_node_config(const std::filesystem::path& file) {
  const auto text = io::read_whole_file(file, io::kYamlBytesMax);
  if (!text) return io::error_of(text);
  return parse_node_config(*text, file);
}

Result<NodeConfig> parse_node_config(std::string_view text, const std::filesystem::path& file) {
  const auto root = io::parse_yaml(text, file.string());
  if (!root) return io::error_of(root);
  return NodeConfigReader{file}.read(*root);
}

}  // namespace wan::dataplane
