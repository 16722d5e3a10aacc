#include "controller/program/aiwand/config_file.h"

#include <utility>

#include "core/io/number_text.h"
#include "core/io/text_source.h"
#include "core/io/yaml_fields.h"
#include "core/io/yaml_tree.h"

namespace wan::controller {
namespace {

using io::YamlEntry;
using io::YamlValue;

constexpr std::size_t kTextBytesMax = 200;
constexpr std::size_t kSocketBytesMax = 107;  // sockaddr_un::sun_path with its final zero
constexpr Duration kLongest = std::chrono::hours{24 * 10'000};

/// Takes the tree apart; the first thing that is wrong is kept.
class ConfigReader : private io::YamlFields {
 public:
  explicit ConfigReader(const std::filesystem::path& file) : YamlFields{file} {}

  Result<DaemonConfig> read(const YamlValue& root) && {
    read_root(root);
    if (error()) return tl::unexpected<Error>{*error()};
    return std::move(config_);
  }

 private:
  template <typename Value, typename Into>
  static void keep(Value&& value, Into& into) {
    if (value) into = *std::forward<Value>(value);
  }

  void read_root(const YamlValue& root);
  void read_interval(const YamlEntry& entry);
  void read_api(const YamlEntry& entry);
  void read_listen(const YamlEntry& entry);
  void read_history(const YamlEntry& entry);
  void read_log(const YamlEntry& entry);

  DaemonConfig config_;
};

void ConfigReader::read_root(const YamlValue& root) {
  bool network = false;
  for (const YamlEntry& entry :
       entries(root, root.line, "",
               {"network", "bus", "state", "interval", "grace", "mode", "max_moved_share", "utilization_target",
                "model", "policies", "api", "history", "segments_max", "log"})) {
    const std::string& key = entry.key;
    if (key == "network") {
      network = true;
      keep(path(entry, key), config_.network);
    } else if (key == "bus") {
      keep(text(entry, key, kTextBytesMax), config_.bus);
    } else if (key == "state") {
      keep(path(entry, key), config_.state);
    } else if (key == "interval") {
      read_interval(entry);
    } else if (key == "grace") {
      keep(duration(entry, key, Duration{0}, std::chrono::hours{1}), config_.grace);
    } else if (key == "mode") {
      if (const auto which = choice(entry, key, {"observe", "advise", "auto"}))
        config_.mode = Mode{static_cast<int>(*which)};
    } else if (key == "max_moved_share") {
      keep(number(entry, key, 0.001, 1.0), config_.max_moved_share);
    } else if (key == "utilization_target") {
      keep(number(entry, key, 0.0, 10.0), config_.utilization_target);
    } else if (key == "model") {
      config_.model = path(entry, key);
    } else if (key == "policies") {
      config_.policies = path(entry, key);
    } else if (key == "api") {
      read_api(entry);
    } else if (key == "history") {
      read_history(entry);
    } else if (key == "segments_max") {
      keep(whole(entry, key, 1, 100), config_.segments_max);
    } else {
      read_log(entry);
    }
  }
  if (!network) refuse(root.line, "network", "is missing; it names the network file, docs/formats/network.md");
}

void ConfigReader::read_interval(const YamlEntry& entry) {
  const auto interval = duration(entry, entry.key, std::chrono::seconds{1}, std::chrono::hours{1});
  if (!interval) return;
  if (*interval % std::chrono::seconds{1} != Duration{0}) return refuse(entry.line, entry.key, "must be whole seconds");
  config_.interval = *interval;
}

void ConfigReader::read_api(const YamlEntry& entry) {
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"socket", "listen"})) {
    if (field.key == "listen") {
      read_listen(field);
    } else if (auto socket = path(field, "api.socket")) {
      if (socket->string().size() > kSocketBytesMax) {
        refuse(field.line, "api.socket", "is longer than a socket's name may be, 107 bytes");
      }
      config_.api.socket = *std::move(socket);
    }
  }
}

void ConfigReader::read_listen(const YamlEntry& entry) {
  const auto address = text(entry, "api.listen", kTextBytesMax);
  if (!address) return;
  const std::size_t colon = address->rfind(':');
  const auto port = colon != std::string::npos ? io::parse_count(address->substr(colon + 1)) : std::nullopt;
  if (!port || *port > 65535 || colon == 0) {
    return refuse(entry.line, "api.listen", "must be ADDRESS:PORT, as in 127.0.0.1:8420");
  }
  std::string host = address->substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  config_.api.listen = DaemonConfig::Api::Listen{.host = std::move(host), .port = static_cast<int>(*port)};
}

void ConfigReader::read_history(const YamlEntry& entry) {
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"raw", "minutes", "hours"})) {
    Duration& into = field.key == "raw"       ? config_.history.raw
                     : field.key == "minutes" ? config_.history.minutes
                                              : config_.history.hours;
    keep(duration(field, "history." + field.key, std::chrono::minutes{1}, kLongest), into);
  }
}

void ConfigReader::read_log(const YamlEntry& entry) {
  static constexpr const char* kLevels[] = {"trace", "debug", "info", "warning", "error"};
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"level", "format"})) {
    if (field.key == "level") {
      const auto level = choice(field, "log.level", {"trace", "debug", "info", "warning", "error"});
      if (level) config_.log.level = kLevels[*level];
    } else if (const auto format = choice(field, "log.format", {"text", "json"})) {
      config_.log.json = *format == 1;
    }
  }
}

}  // namespace

Result<DaemonConfig> parse_config(std::string_view text, const std::filesystem::path& file) {
  auto root = io::parse_yaml(text, file.string());
  if (!root) return tl::unexpected<Error>{root.error()};
  return ConfigReader{file}.read(*root);
}

Result<DaemonConfig> read_config(const std::filesystem::path& file) {
  auto text = io::read_whole_file(file, io::kYamlBytesMax);
  if (!text) return tl::unexpected<Error>{text.error()};
  return parse_config(*text, file);
}

}  // namespace wan::controller
