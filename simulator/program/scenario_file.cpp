#include "simulator/program/scenario_file.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "core/io/number_text.h"
#include "core/io/text_source.h"
#include "core/io/yaml_fields.h"
#include "core/io/yaml_tree.h"
#include "simulator/program/risk_argument.h"

namespace wan::simulator {
namespace {

using io::YamlEntry;
using io::YamlValue;
using Kind = YamlValue::Kind;

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kEventsMax = 1000;
constexpr std::size_t kTargetsMax = 100;

/// `day 8 17:30`, `day 8 17:30:05` or `day 8`.
std::optional<Moment> parse_day(std::string_view text) {
  if (!text.starts_with("day ")) return std::nullopt;
  text.remove_prefix(4);
  const std::size_t space = std::min(text.find(' '), text.size());
  const auto day = io::parse_count(text.substr(0, space));
  if (!day || *day < 1 || *day > 100'000) return std::nullopt;
  Moment moment{.kind = Moment::Kind::kDay, .day = *day};
  if (space == text.size()) return moment;
  const Timestamp midnight{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
  const std::string clock{io::trimmed(text.substr(space))};
  if (clock.find_first_not_of("0123456789:") != std::string::npos) return std::nullopt;
  const auto time = parse_timestamp("2000-01-01T" + clock);
  if (!time) return std::nullopt;
  moment.time_of_day = *time - midnight;
  return moment;
}

std::optional<Moment> parse_moment(std::string_view text) {
  constexpr std::size_t kRowsMax = 1'000'000'000;
  if (const auto row = io::parse_count(text)) {
    if (*row > kRowsMax) return std::nullopt;
    return Moment{.kind = Moment::Kind::kRow, .row = *row};
  }
  if (auto day = parse_day(text)) return day;
  if (text.find('-') == std::string_view::npos) return std::nullopt;
  if (const auto time = parse_timestamp(text)) return Moment{.kind = Moment::Kind::kTime, .time = *time};
  return std::nullopt;
}

/// Takes the tree apart. The first thing that is wrong is kept and ends the reading: what follows is left as it is.
class ScenarioReader : private io::YamlFields {
 public:
  explicit ScenarioReader(const std::filesystem::path& file) : YamlFields{file} {
    scenario_.file = file_name();
    scenario_.name = file.stem().string();
  }

  Result<ScenarioFile> read(const YamlValue& root) && {
    read_root(root);
    if (error()) return tl::unexpected<Error>{*error()};
    return std::move(scenario_);
  }

 private:
  std::optional<Moment> moment(const YamlEntry& entry, const std::string& key) {
    auto found = entry.value.kind == Kind::kScalar ? parse_moment(entry.value.scalar) : std::nullopt;
    if (!found) {
      refuse(entry.line, key,
             shown(entry.value) + ": must be a row number, a time such as 2026-03-09T17:30:00Z, or \"day 8 17:30\"");
      return std::nullopt;
    }
    found->key = key;
    found->line = entry.line;
    return found;
  }

  void read_root(const YamlValue& root);
  void read_risk(const YamlEntry& entry);
  void read_topology_key(const YamlEntry& entry);
  void read_traffic(const YamlEntry& entry);
  void read_generator(const YamlEntry& entry);
  void read_score(const YamlEntry& entry);
  void read_events(const YamlEntry& entry);
  void read_event(const YamlValue& value, const std::string& key);
  void read_targets(const YamlEntry& entry, const std::string& key, ScenarioEvent& event);
  void read_controllers(const YamlEntry& entry);

  ScenarioFile scenario_;
};

void ScenarioReader::read_root(const YamlValue& root) {
  bool topology = false, traffic = false, score = false;
  for (const YamlEntry& entry : entries(root, root.line, "",
                                        {"name", "topology", "traffic", "score", "events", "controllers",
                                         "utilization_target", "risk", "change_weight", "scale", "model"})) {
    if (entry.key == "name") {
      if (const auto name = text(entry, entry.key, kNameBytesMax)) scenario_.name = *name;
    } else if (entry.key == "topology") {
      topology = true;
      read_topology_key(entry);
    } else if (entry.key == "traffic") {
      traffic = true;
      read_traffic(entry);
    } else if (entry.key == "score") {
      score = true;
      read_score(entry);
    } else if (entry.key == "events") {
      read_events(entry);
    } else if (entry.key == "controllers") {
      read_controllers(entry);
    } else if (entry.key == "utilization_target") {
      if (const auto target = number(entry, entry.key, 0.0, 10.0)) scenario_.utilization_target = *target;
    } else if (entry.key == "risk") {
      read_risk(entry);
    } else if (entry.key == "change_weight") {
      scenario_.change_weight = number(entry, entry.key, 0.0, 100.0);
    } else if (entry.key == "scale") {
      if (const auto scale = number(entry, entry.key, 0.001, 1000.0)) scenario_.scale = *scale;
    } else {
      scenario_.model = path(entry, entry.key);
    }
  }
  if (!topology) refuse(root.line, "topology", "is missing; allowed are {builtin: backbone12} and {file: PATH}");
  if (!traffic) refuse(root.line, "traffic", "is missing; allowed are {generator: {days: D}} and {file: PATH}");
  if (!score) refuse(root.line, "score", "is missing; it names the first row to score, as in {from: day 8}");
}

void ScenarioReader::read_risk(const YamlEntry& entry) {
  const auto name = text(entry, entry.key, kNameBytesMax);
  if (!name) return;
  const auto tail = parse_risk(*name);
  if (!tail) return refuse(entry.line, entry.key, tail.error().message);
  scenario_.tail = *tail;
}

void ScenarioReader::read_topology_key(const YamlEntry& entry) {
  const auto found = entries(entry.value, entry.line, entry.key, {"builtin", "file"});
  if (found.size() != 1) return refuse(entry.line, entry.key, "needs one key: builtin or file");
  if (found[0].key == "file") {
    scenario_.topology_file = path(found[0], "topology.file");
    return;
  }
  const auto name = text(found[0], "topology.builtin", kNameBytesMax);
  if (name && *name != "backbone12") {
    refuse(found[0].line, "topology.builtin", io::in_quotes(*name) + ": the one built-in network is backbone12");
  }
}

void ScenarioReader::read_traffic(const YamlEntry& entry) {
  const auto found = entries(entry.value, entry.line, entry.key, {"generator", "file"});
  if (found.size() != 1) return refuse(entry.line, entry.key, "needs one key: generator or file");
  if (found[0].key == "file") {
    scenario_.traffic_file = path(found[0], "traffic.file");
  } else {
    read_generator(found[0]);
  }
}

void ScenarioReader::read_generator(const YamlEntry& entry) {
  GeneratorOptions& options = scenario_.generator;
  bool days = false;
  const auto keep = [](const auto& value, auto& into) {
    if (value) into = *value;
  };
  for (const YamlEntry& field : entries(entry.value, entry.line, "traffic.generator",
                                        {"days", "seed", "start", "interval_s", "level", "pair_noise", "node_noise",
                                         "bursts_per_day", "flash_crowds_per_day"})) {
    const std::string key = "traffic.generator." + field.key;
    if (field.key == "days") {
      days = true;
      if (const auto count = whole(field, key, 1, 3660)) options.days = std::chrono::days{static_cast<int>(*count)};
    } else if (field.key == "seed") {
      keep(whole(field, key, 0, UINT64_MAX), options.seed);
    } else if (field.key == "start") {
      const auto start = moment(field, key);
      if (start && start->kind != Moment::Kind::kTime) refuse(field.line, key, "must be a time, 2026-03-02T00:00:00Z");
      if (start) options.start = start->time;
    } else if (field.key == "interval_s") {
      const auto seconds = whole(field, key, 1, 86400);
      if (seconds && 86400 % *seconds != 0) refuse(field.line, key, "must divide a day, 86400 s");
      if (seconds) options.interval = std::chrono::seconds{static_cast<int>(*seconds)};
    } else if (field.key == "level") {
      keep(number(field, key, 0.001, 1000.0), options.igp_utilization_busy_hour);
    } else if (field.key == "pair_noise") {
      keep(number(field, key, 0.0, 3.0), options.pair_noise);
    } else if (field.key == "node_noise") {
      keep(number(field, key, 0.0, 3.0), options.node_noise);
    } else if (field.key == "bursts_per_day") {
      keep(number(field, key, 0.0, 1e4), options.bursts_per_day);
    } else {
      keep(number(field, key, 0.0, 1e4), options.flash_crowds_per_day);
    }
  }
  if (!days) refuse(entry.line, "traffic.generator.days", "is missing; a whole number from 1 to 3660");
}

void ScenarioReader::read_score(const YamlEntry& entry) {
  bool from = false;
  for (const YamlEntry& field : entries(entry.value, entry.line, entry.key, {"from", "to"})) {
    auto bound = moment(field, "score." + field.key);
    if (field.key == "from") {
      from = true;
      if (bound) scenario_.score_from = *std::move(bound);
    } else {
      scenario_.score_to = std::move(bound);
    }
  }
  if (!from) refuse(entry.line, "score.from", "is missing; the first row to score, by number, time or \"day 8\"");
}

void ScenarioReader::read_events(const YamlEntry& entry) {
  if (entry.value.kind == Kind::kEmpty) return;  // "events:" with all its lines commented out
  if (entry.value.kind != Kind::kList) return refuse(entry.line, entry.key, "must be a list of {at: ..., fail: ...}");
  if (entry.value.items.size() > kEventsMax) {
    return refuse(entry.line, entry.key, "at most " + std::to_string(kEventsMax) + " are read");
  }
  for (std::size_t i = 0; i < entry.value.items.size() && !error(); ++i) {
    read_event(entry.value.items[i], "events[" + std::to_string(i) + "]");
  }
}

void ScenarioReader::read_event(const YamlValue& value, const std::string& key) {
  ScenarioEvent event{.at = {}, .up = false, .targets = {}, .label = {}, .key = {}, .line = value.line};
  bool at = false;
  for (const YamlEntry& field : entries(value, value.line, key, {"at", "fail", "repair", "label"})) {
    const std::string field_key = key + "." + field.key;
    if (field.key == "at") {
      at = true;
      if (auto when = moment(field, field_key)) event.at = *std::move(when);
    } else if (field.key == "label") {
      if (auto label = text(field, field_key, kNameBytesMax)) event.label = *std::move(label);
    } else {
      if (!event.targets.empty()) return refuse(field.line, key, "has both fail and repair; make it two events");
      event.up = field.key == "repair";
      read_targets(field, field_key, event);
    }
  }
  if (!at) refuse(value.line, key + ".at", "is missing; a time such as 2026-03-09T17:30:00Z or \"day 8 17:30\"");
  if (event.targets.empty()) refuse(value.line, key, "needs fail or repair, with a link such as \"A - B\"");
  if (event.label.empty()) event.label = io::listed(event.targets) + (event.up ? " repaired" : " down");
  scenario_.events.push_back(std::move(event));
}

void ScenarioReader::read_targets(const YamlEntry& entry, const std::string& key, ScenarioEvent& event) {
  constexpr std::size_t kTargetBytesMax = 600;
  event.key = key;
  event.line = entry.line;
  if (entry.value.kind != Kind::kList) {
    if (auto target = text(entry, key, kTargetBytesMax)) event.targets.push_back(*std::move(target));
    return;
  }
  if (entry.value.items.empty() || entry.value.items.size() > kTargetsMax) {
    return refuse(entry.line, key, "must hold from 1 to " + std::to_string(kTargetsMax) + " links");
  }
  for (const YamlValue& item : entry.value.items) {
    if (auto target = text(item, item.line, key, kTargetBytesMax)) event.targets.push_back(*std::move(target));
  }
}

void ScenarioReader::read_controllers(const YamlEntry& entry) {
  const std::string allowed = "allowed are " + io::listed(kControllerNames);
  if (entry.value.kind != Kind::kList || entry.value.items.empty()) {
    return refuse(entry.line, entry.key, "must be a list of at least one name; " + allowed);
  }
  scenario_.controllers.clear();
  for (const YamlValue& item : entry.value.items) {
    const auto name = text(item, item.line, entry.key, kNameBytesMax);
    if (!name) return;
    const auto is_name = [&](const std::string& known) { return known == *name; };
    if (std::none_of(kControllerNames.begin(), kControllerNames.end(), is_name)) {
      return refuse(item.line, entry.key, "unknown controller " + io::in_quotes(*name) + "; " + allowed);
    }
    if (std::any_of(scenario_.controllers.begin(), scenario_.controllers.end(), is_name)) {
      return refuse(item.line, entry.key, *name + " stands twice");
    }
    scenario_.controllers.push_back(*name);
  }
}

}  // namespace

Result<ScenarioFile> read_scenario(const std::filesystem::path& file) {
  const auto text = io::read_whole_file(file, io::kYamlBytesMax);
  if (!text) return io::error_of(text);
  return parse_scenario(*text, file);
}

Result<ScenarioFile> parse_scenario(std::string_view text, const std::filesystem::path& file) {
  const auto root = io::parse_yaml(text, file.string());
  if (!root) return io::error_of(root);
  auto scenario = ScenarioReader{file}.read(*root);
  if (scenario) scenario->text = text;
  return scenario;
}

}  // namespace wan::simulator
