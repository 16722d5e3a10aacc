#include <algorithm>
#include <cstdint>
#include <utility>

#include "controller/program/aiwanctl/quantities.h"
#include "controller/program/aiwanctl/table.h"
#include "controller/program/aiwanctl/views.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

Cell plain(const Json& object, std::string_view key) { return {shown(field(object, key)), Tone::kPlain}; }

Tone tone_of_state(const Json& state) {
  const std::string name = shown(state);
  if (name == "reporting" || name == "up" || name == "installed") return Tone::kGood;
  if (name == "silent" || name == "down" || name == "refused") return Tone::kBad;
  if (name == "proposed") return Tone::kWarning;
  return Tone::kFaint;
}

Cell state_of(const Json& object) { return {shown(field(object, "state")), tone_of_state(field(object, "state"))}; }

Cell utilization(const Json& object, std::string_view key) {
  return {shown_percent(field(object, key)), tone_of_utilization(field(object, key))};
}

Cell flagged(const Json& object, std::string_view key) {
  return is_true(field(object, key)) ? Cell{"yes", Tone::kWarning} : Cell{"no", Tone::kFaint};
}

/// Up ports of all ports.
std::string port_count(const Json& node) {
  const Json& ports = items_of(node, "ports");
  std::size_t up = 0;
  for (const Json& port : ports) up += is_true(field(port, "up"));
  return io::joined(up, " of ", ports.size());
}

Cell packets_dropped(const Json& node) {
  const Json& drops = field(node, "drops");
  if (!drops.is_object()) return {"-", Tone::kFaint};
  double sum = 0.0;
  for (const auto& [reason, packets] : drops.items()) sum += number_of(packets).value_or(0.0);
  return {shown_count(Json(static_cast<std::uint64_t>(std::clamp(sum, 0.0, 1e18))), "packet"),
          sum > 0 ? Tone::kWarning : Tone::kPlain};
}

/// Adds what only wide tables show.
template <typename T>
void append(std::vector<T>& to, std::vector<T> more) {
  for (T& item : more) to.push_back(std::move(item));
}

}  // namespace

std::string nodes_table(const Json& nodes, const Look& look) {
  std::vector<Column> columns{{"NAME"},     {"STATE"},       {"DRAINED"},  {"EPOCH", true},
                              {"PORTS UP"}, {"DROPS", true}, {"LAST SEEN"}};
  if (look.wide) append<Column>(columns, {{"INSTALLS", true}, {"BOOTS", true}, {"LOCATOR"}, {"PREFIXES"}});
  Table table{std::move(columns)};
  for (const Json& node : nodes) {
    std::vector<Cell> row{plain(node, "name"), state_of(node),        flagged(node, "drained"), plain(node, "epoch"),
                          {port_count(node)},  packets_dropped(node), plain(node, "last_seen")};
    if (look.wide) {
      append<Cell>(row, {plain(node, "installs"),
                         plain(node, "boots"),
                         plain(node, "locator"),
                         {shown_list(field(node, "prefixes"))}});
    }
    table.add(std::move(row));
  }
  return table.text(look.color);
}

std::string links_table(const Json& links, const Look& look) {
  std::vector<Column> columns{{"NAME"},
                              {"STATE"},
                              {"DRAINED"},
                              {"CAPACITY", true},
                              {"RATE", true},
                              {"UTILIZATION", true},
                              {"FORECAST P95", true},
                              {"DROPS", true}};
  if (look.wide) append<Column>(columns, {{"FROM"}, {"TO"}, {"DELAY", true}, {"METRIC", true}, {"SRLGS"}});
  Table table{std::move(columns)};
  for (const Json& link : links) {
    std::vector<Cell> row{plain(link, "name"),
                          state_of(link),
                          flagged(link, "drained"),
                          {shown_rate(field(link, "capacity_bps"))},
                          {shown_rate(field(link, "rate_bps"))},
                          utilization(link, "utilization"),
                          utilization(link, "forecast_utilization"),
                          {shown_count(field(link, "drops"), "packet")}};
    if (look.wide) {
      append<Cell>(row, {plain(link, "from"),
                         plain(link, "to"),
                         {shown_milliseconds(field(link, "delay_ms"))},
                         plain(link, "metric"),
                         {shown_list(field(link, "srlgs"))}});
    }
    table.add(std::move(row));
  }
  return table.text(look.color);
}

std::string demands_table(const Json& demands, const Look& look) {
  Table table{{{"CLASS"}, {"FROM"}, {"TO"}, {"RATE", true}, {"FORECAST", true}, {"CENSORED"}, {"PATHS"}}};
  for (const Json& demand : demands) {
    std::string paths;
    for (const Json& path : items_of(demand, "paths")) {
      paths.append(paths.empty() ? "" : look.wide ? " | " : ", ").append(shown_path(path));
    }
    table.add({plain(demand, "class"),
               plain(demand, "from"),
               plain(demand, "to"),
               {shown_rate(field(demand, "rate_bps"))},
               {shown_rate(field(demand, "forecast_bps"))},
               flagged(demand, "censored"),
               {paths.empty() ? "-" : paths}});
  }
  return table.text(look.color);
}

std::string plans_table(const Json& plans, const Look& look) {
  std::vector<Column> columns{{"EPOCH", true},       {"TIME"},          {"IN FORCE"},    {"UTILIZATION", true},
                              {"LOWER BOUND", true}, {"DEMANDS", true}, {"PATHS", true}, {"DECISION"},
                              {"WAITING FOR"}};
  if (look.wide) append<Column>(columns, {{"DIGEST"}, {"ACKNOWLEDGED BY"}});
  Table table{std::move(columns)};
  for (const Json& plan : plans) {
    const Json& waiting = items_of(plan, "waiting");
    std::vector<Cell> row{plain(plan, "epoch"),
                          plain(plan, "time"),
                          is_true(field(plan, "in_force")) ? Cell{"yes", Tone::kGood} : Cell{"no", Tone::kFaint},
                          utilization(plan, "expected_utilization"),
                          {shown_percent(field(plan, "lower_bound"))},
                          plain(plan, "demands"),
                          plain(plan, "paths"),
                          plain(plan, "decision"),
                          {shown_list(waiting), waiting.empty() ? Tone::kFaint : Tone::kWarning}};
    if (look.wide) append<Cell>(row, {plain(plan, "digest"), {shown_list(field(plan, "acknowledged"))}});
    table.add(std::move(row));
  }
  return table.text(look.color);
}

std::string decisions_table(const Json& decisions, const Look& look) {
  std::vector<Column> columns{{"ID", true},     {"TIME"},           {"ACTION"},     {"STATE"},
                              {"BEFORE", true}, {"EXPECTED", true}, {"MOVED", true}};
  if (look.wide)
    append<Column>(columns, {{"IF KEPT", true}, {"P95", true}, {"GAP", true}, {"EPOCH", true}, {"FORECASTER"}});
  columns.push_back({"REASON"});
  Table table{std::move(columns)};
  for (const Json& decision : decisions) {
    std::vector<Cell> row{plain(decision, "id"),
                          plain(decision, "time"),
                          plain(decision, "action"),
                          state_of(decision),
                          utilization(decision, "utilization_before"),
                          utilization(decision, "expected_utilization"),
                          {shown_percent(field(decision, "moved_share"))}};
    if (look.wide) {
      append<Cell>(row, {utilization(decision, "utilization_expected_if_kept"),
                         utilization(decision, "p95_utilization"),
                         {shown_percent(field(decision, "gap"))},
                         plain(decision, "epoch"),
                         plain(decision, "forecaster")});
    }
    row.push_back(plain(decision, "reason"));
    table.add(std::move(row));
  }
  return table.text(look.color);
}

std::string alarms_table(const Json& alarms, const Look& look) {
  std::vector<Column> columns{{"ID"}, {"SEVERITY"}, {"KIND"}, {"SUBJECT"}, {"SINCE"}, {"COUNT", true}};
  if (look.wide) columns.push_back({"LAST"});
  columns.push_back({"TEXT"});
  Table table{std::move(columns)};
  for (const Json& alarm : alarms) {
    const std::string severity = shown(field(alarm, "severity"));
    std::vector<Cell> row{plain(alarm, "id"),    {severity, severity == "critical" ? Tone::kBad : Tone::kWarning},
                          plain(alarm, "kind"),  plain(alarm, "subject"),
                          plain(alarm, "since"), plain(alarm, "count")};
    if (look.wide) row.push_back(plain(alarm, "last"));
    row.push_back(plain(alarm, "text"));
    table.add(std::move(row));
  }
  return table.text(look.color);
}

std::string policies_view(const Json& policies, const Look& look) {
  std::string out = "# version ";
  out.append(shown(field(policies, "version"))).append("\n");
  const Json& pending = field(policies, "pending_confirm_until");
  if (pending.is_string()) {
    out += toned(io::joined("# rolled back at ", shown(pending), " unless aiwanctl confirm comes first"),
                 Tone::kWarning, look.color);
    out += '\n';
  }
  const Json& text = field(policies, "text");
  if (text.is_string()) {
    for (const char c : text.get_ref<const std::string&>()) {  // as the operator wrote it, but for control characters
      if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f')) out += c;
    }
  }
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

}  // namespace wan::aiwanctl
