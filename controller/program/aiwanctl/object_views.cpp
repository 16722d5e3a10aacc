#include <algorithm>
#include <string>
#include <utility>

#include "controller/program/aiwanctl/quantities.h"
#include "controller/program/aiwanctl/table.h"
#include "controller/program/aiwanctl/views.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

std::string heading(std::string_view text, const Look& look) {
  return std::string{"\n"}.append(toned(text, Tone::kStrong, look.color)).append("\n");
}

std::string link_and_utilization(const Json& object) {
  return io::joined(shown_percent(field(object, "max_utilization")), " on ",
                    shown(field(object, "max_utilization_link")));
}

/// `expected 61.2 %, no plan that keeps the policies can go below 60.8 %, gap 0.7 %`
std::string certificate_text(const Json& object) {
  return io::joined(shown_percent(field(object, "expected_utilization")),
                    ", and no plan that keeps the policies can go below ", shown_percent(field(object, "lower_bound")));
}

/// One demand's paths, a line each.
std::string paths_text(const Json& paths, std::string_view indent) {
  std::string out;
  for (const Json& path : paths) out.append(indent).append(shown_path(path)).append("\n");
  if (out.empty()) out.append(indent).append("no path\n");
  return out;
}

std::string changes_text(const Json& changes, const Look& look) {
  std::string out;
  for (const Json& change : changes) {
    out.append("  ").append(toned(
        io::joined(shown(field(change, "class")), " ", shown(field(change, "from")), " > ", shown(field(change, "to"))),
        Tone::kStrong, look.color));
    const Json& why = field(change, "why");
    if (why.is_string()) out.append(": ").append(shown(why));
    out.append("\n");
    for (const auto& [key, sign, tone] :
         {std::tuple{"before", "    - ", Tone::kBad}, std::tuple{"after", "    + ", Tone::kGood}}) {
      for (const Json& path : items_of(change, key)) {
        out.append(toned(std::string{sign}.append(shown_path(path)), tone, look.color)).append("\n");
      }
    }
  }
  return out;
}

std::string paused_text(const Json& status) {
  if (!is_true(field(status, "paused"))) return "";
  const Json& until = field(status, "paused_until");
  return until.is_string() ? io::joined(", paused until ", shown(until)) : ", paused until aiwanctl resume";
}

}  // namespace

std::string facts_text(const std::vector<Fact>& facts, const Look& look, std::string_view indent) {
  std::size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, columns_of(fact.name));
  std::string out;
  for (const Fact& fact : facts) {
    out.append(indent).append(toned(io::joined(fact.name, ":"), Tone::kFaint, look.color));
    out.append(width - columns_of(fact.name) + 1, ' ').append(fact.value).append("\n");
  }
  return out;
}

std::string shown_path(const Json& path) {
  const Json& links = items_of(path, "links");
  std::string text = links.empty() ? shown_list(field(path, "segments"), " > ") : shown_list(links, " > ");
  const Json& share = field(path, "fraction");
  if (!share.is_null()) text.append(" (").append(shown_percent(share)).append(")");
  return text;
}

std::string status_view(const Json& status, const Look& look) {
  const Json &nodes = field(status, "nodes"), &links = field(status, "links"), &measured = field(status, "measured");
  std::string out = facts_text(
      {{"version", shown(field(status, "version"))},
       {"mode", shown(field(status, "mode")).append(paused_text(status))},
       {"up for", shown_seconds(field(status, "uptime_s"))},
       {"interval", shown_seconds(field(status, "interval_s"))},
       {"nodes", io::joined(shown(field(nodes, "reporting")), " of ", shown(field(nodes, "managed")), " reporting")},
       {"links", io::joined(shown(field(links, "up")), " of ", shown(field(links, "all")), " up")},
       {"traffic", io::joined(shown_rate(field(measured, "total_bps")), " at ", shown(field(measured, "time")))},
       {"busiest link", link_and_utilization(measured)},
       {"censored demands", shown(field(measured, "censored"))},
       {"forecaster", shown(field(status, "forecaster"))},
       {"plan", io::joined("epoch ", shown(field(status, "epoch")), ", digest ", shown(field(status, "plan_digest")))},
       {"policies", io::joined("version ", shown(field(status, "policy_version")))},
       {"pending decision", shown(field(status, "pending_decision"))},
       {"alarms", shown(field(status, "alarms"))},
       {"state", shown(field(status, "state"))},
       {"network", shown(field(status, "network"))}},
      look);
  for (const Json& reason : items_of(status, "degraded")) {
    out.append(toned(io::joined("degraded: ", shown(reason)), Tone::kWarning, look.color)).append("\n");
  }
  return out;
}

std::string node_view(const Json& node, const Look& look) {
  std::string out = facts_text({{"node", shown(field(node, "name"))},
                                {"state", shown(field(node, "state"))},
                                {"managed", shown(field(node, "managed"))},
                                {"drained", shown(field(node, "drained"))},
                                {"locator", shown(field(node, "locator"))},
                                {"prefixes", shown_list(field(node, "prefixes"))},
                                {"last seen", shown(field(node, "last_seen"))},
                                {"boots", shown(field(node, "boots"))},
                                {"epoch", shown(field(node, "epoch"))},
                                {"installs", shown(field(node, "installs"))}},
                               look);
  const Json& ports = items_of(node, "ports");
  if (!ports.empty()) {
    Table table{{{"PORT"}, {"STATE"}, {"LINK"}}};
    for (const Json& port : ports) {
      const bool up = is_true(field(port, "up"));
      table.add({{shown(field(port, "name"))},
                 {up ? "up" : "down", up ? Tone::kGood : Tone::kBad},
                 {shown(field(port, "link"))}});
    }
    out.append("\n").append(table.text(look.color));
  }
  const Json& drops = field(node, "drops");
  if (drops.is_object() && !drops.empty()) {
    Table table{{{"DROPS OF THE LAST INTERVAL"}, {"", true}}};
    for (const auto& [reason, packets] : drops.items()) {
      table.add({{io::on_one_line(reason)}, {shown_count(packets, "packet")}});
    }
    out.append("\n").append(table.text(look.color));
  }
  return out;
}

std::string link_view(const Json& link, const Look& look) {
  return facts_text({{"link", shown(field(link, "name"))},
                     {"from", shown(field(link, "from"))},
                     {"to", shown(field(link, "to"))},
                     {"state", shown(field(link, "state"))},
                     {"drained", shown(field(link, "drained"))},
                     {"capacity", shown_rate(field(link, "capacity_bps"))},
                     {"rate", shown_rate(field(link, "rate_bps"))},
                     {"utilization", shown_percent(field(link, "utilization"))},
                     {"forecast p95", shown_percent(field(link, "forecast_utilization"))},
                     {"drops", shown_count(field(link, "drops"), "packet")},
                     {"delay", shown_milliseconds(field(link, "delay_ms"))},
                     {"metric", shown(field(link, "metric"))},
                     {"srlgs", shown_list(field(link, "srlgs"))}},
                    look);
}

std::string plan_view(const Json& plan, const Look& look) {
  std::string out = facts_text({{"plan", io::joined("epoch ", shown(field(plan, "epoch")))},
                                {"time", shown(field(plan, "time"))},
                                {"digest", shown(field(plan, "digest"))},
                                {"decision", shown(field(plan, "decision"))},
                                {"in force", shown(field(plan, "in_force"))},
                                {"acknowledged by", shown_list(field(plan, "acknowledged"))},
                                {"waiting for", shown_list(field(plan, "waiting"))},
                                {"utilization", certificate_text(plan)},
                                {"demands", shown(field(plan, "demands"))},
                                {"paths", shown(field(plan, "paths"))}},
                               look);
  const Json& routes = items_of(plan, "routes");
  if (!routes.empty()) out += heading("routes", look);
  for (const Json& route : routes) {
    out.append("  ").append(shown(field(route, "class"))).append(" ").append(shown(field(route, "from")));
    out.append(" > ")
        .append(shown(field(route, "to")))
        .append("\n")
        .append(paths_text(items_of(route, "paths"), "    "));
  }
  return out;
}

std::string decision_view(const Json& decision, const Look& look) {
  std::vector<Fact> facts{
      {"decision", shown(field(decision, "id"))},
      {"time", shown(field(decision, "time"))},
      {"action", io::joined(shown(field(decision, "action")), ", ", shown(field(decision, "state")))},
      {"reason", shown(field(decision, "reason"))},
      {"forecaster", shown(field(decision, "forecaster"))},
      {"measured before", shown_percent(field(decision, "utilization_before"))},
      {"expected if kept", shown_percent(field(decision, "utilization_expected_if_kept"))},
      {"expected", certificate_text(decision)},
      {"gap", shown_percent(field(decision, "gap"))},
      {"p95", shown_percent(field(decision, "p95_utilization"))},
      {"traffic moved", shown_percent(field(decision, "moved_share"))},
      {"epoch", shown(field(decision, "epoch"))},
  };
  const Json& effect = field(decision, "effect");
  facts.push_back({"measured after",
                   effect.is_object() ? io::joined(link_and_utilization(effect), " at ", shown(field(effect, "time")))
                                      : "not yet"});
  for (const Json& alarm : items_of(decision, "alarms")) {
    facts.push_back({"alarm", alarm.is_object() ? shown(field(alarm, "text")) : shown(alarm)});
  }
  return facts_text(facts, look);
}

std::string explanation_view(const Json& explanation, const Look& look) {
  const Json& inputs = field(explanation, "inputs");
  std::string out = decision_view(field(explanation, "decision"), look);
  out += heading("inputs", look);
  out += facts_text({{"matrix of", shown(field(inputs, "matrix_time"))},
                     {"traffic", shown_rate(field(inputs, "total_bps"))},
                     {"forecast", shown_rate(field(inputs, "forecast_total_bps"))},
                     {"scenarios", shown(field(inputs, "scenarios"))},
                     {"censored", shown_list(field(inputs, "censored"))},
                     {"missing", shown_list(field(inputs, "missing"))}},
                    look, "  ");
  const Json& binding = items_of(explanation, "binding_links");
  out += heading("binding links", look);
  if (binding.empty()) out += "  none\n";
  if (!binding.empty()) {
    Table table{{{"LINK"}, {"BEFORE", true}, {"AFTER", true}, {"SHARE OF THE BOUND", true}}};
    for (const Json& link : binding) {
      const Json &before = field(link, "utilization_before"), &after = field(link, "utilization_after");
      table.add({{shown(field(link, "link"))},
                 {shown_percent(before), tone_of_utilization(before)},
                 {shown_percent(after), tone_of_utilization(after)},
                 {shown_percent(field(link, "price"))}});
    }
    out += table.text(look.color, "  ");
  }
  out += heading("changes", look);
  const std::string changes = changes_text(items_of(explanation, "changes"), look);
  out += changes.empty() ? "  none\n" : changes;
  out += heading("rejected alternatives", look);
  const Json& rejected = items_of(explanation, "rejected");
  if (rejected.empty()) return out += "  none\n";
  Table table{{{"ALTERNATIVE"}, {"EXPECTED", true}, {"P95", true}, {"WHY NOT"}}};
  for (const Json& other : rejected) {
    const Json &expected = field(other, "expected_utilization"), &p95 = field(other, "p95_utilization");
    table.add({{shown(field(other, "alternative"))},
               {shown_percent(expected), tone_of_utilization(expected)},
               {shown_percent(p95), tone_of_utilization(p95)},
               {shown(field(other, "why"))}});
  }
  return out += table.text(look.color, "  ");
}

std::string saved_plan_view(const Json& saved, const Look& look) {
  std::string out;
  const Json &policy_changes = items_of(saved, "policy_changes"), &changes = items_of(saved, "changes");
  if (policy_changes.empty() && changes.empty()) return "no changes\n";
  out += toned("policies", Tone::kStrong, look.color).append("\n");
  for (const Json& change : policy_changes) out.append("  ").append(shown(change)).append("\n");
  if (policy_changes.empty()) out += "  no changes\n";
  out += heading("paths", look);
  const std::string paths = changes_text(changes, look);
  out += paths.empty() ? "  no changes\n" : paths;
  out += "\n";
  out +=
      facts_text({{"largest utilization", io::joined(shown_percent(field(saved, "max_utilization_before")), " before, ",
                                                     shown_percent(field(saved, "max_utilization_after")), " after")},
                  {"traffic moved", shown_percent(field(saved, "moved_share"))},
                  {"for state", shown(field(saved, "state"))}},
                 look);
  return out;
}

std::string simulation_view(const Json& simulation, const Look& look) {
  const Json& still = field(simulation, "without_reaction");
  std::string out = facts_text({{"now", link_and_utilization(field(simulation, "before"))},
                                {"paths as they are", link_and_utilization(still)},
                                {"after a new plan", link_and_utilization(simulation)},
                                {"traffic moved", shown_percent(field(simulation, "moved_share"))}},
                               look);
  for (const Json& pair : items_of(simulation, "disconnected")) {
    out.append(toned(io::joined("cut off: ", shown(field(pair, "from")), " > ", shown(field(pair, "to"))), Tone::kBad,
                     look.color));
    out.append("\n");
  }
  for (const Json& link : items_of(simulation, "overloaded_links")) {
    out.append(
        toned(io::joined("overloaded: ", shown(field(link, "link")), " at ", shown_percent(field(link, "utilization"))),
              Tone::kBad, look.color));
    out.append("\n");
  }
  Table table{{{"LINK"}, {"NOW", true}, {"THEN", true}}};
  for (const Json& link : items_of(simulation, "links")) {
    const Json &before = field(link, "utilization_before"), &after = field(link, "utilization_after");
    table.add({{shown(field(link, "link"))},
               {shown_percent(before), tone_of_utilization(before)},
               {shown_percent(after), tone_of_utilization(after)}});
  }
  if (!table.empty()) out.append("\n").append(table.text(look.color));
  return out;
}

}  // namespace wan::aiwanctl
