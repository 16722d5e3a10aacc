#include "simulator/program/report_data.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wan::simulator {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShownUtilizationsMax = 400'000;

/// Few enough digits that the page stays small; null where there is no number.
ordered_json rounded(double value, double steps_per_unit) {
  if (!std::isfinite(value)) return nullptr;
  const double result = std::round(value * steps_per_unit) / steps_per_unit;
  if (result == std::floor(result) && std::abs(result) < 1e15) return static_cast<std::int64_t>(result);  // 1, not 1.0
  return result;
}

std::int64_t unix_s(Timestamp time) { return time.time_since_epoch().count(); }

ordered_json nodes_json(const Topology& topology) {
  ordered_json nodes = ordered_json::array();
  for (const Node& node : topology.nodes()) {
    ordered_json one{{"name", node.name}};
    if (node.location) {
      one["lat"] = rounded(node.location->latitude, 1e3);
      one["lon"] = rounded(node.location->longitude, 1e3);
    }
    nodes.push_back(std::move(one));
  }
  return nodes;
}

ordered_json links_json(const Topology& topology) {
  ordered_json links = ordered_json::array();
  for (const Link& link : topology.links()) {
    links.push_back({{"name", link.name},
                     {"from", link.from.index()},
                     {"to", link.to.index()},
                     {"gbps", rounded(link.capacity.gbps(), 1e6)},
                     {"delay_ms", rounded(to_milliseconds(link.delay), 1e3)}});
  }
  return links;
}

/// From when to when something was down: a failure lasts until all its links were repaired, or to the end.
ordered_json outages_json(const RunRecord& run) {
  const Timestamp begin = run.result.intervals.front().time;
  const Timestamp end =
      run.result.intervals.back().time + std::chrono::floor<std::chrono::seconds>(run.result.interval);
  ordered_json outages = ordered_json::array();
  for (auto failure = run.events.begin(); failure != run.events.end(); ++failure) {
    if (failure->up) continue;
    std::set<LinkId> still_down(failure->links.begin(), failure->links.end());
    Timestamp until = end;
    for (auto later = failure + 1; later != run.events.end() && !still_down.empty(); ++later) {
      if (!later->up) continue;
      for (const LinkId link : later->links) still_down.erase(link);
      if (still_down.empty()) until = later->at;
    }
    const Timestamp from = std::max(failure->at, begin);
    if (until <= from) continue;
    outages.push_back({{"from", unix_s(from)}, {"to", unix_s(until)}, {"label", failure->label}});
  }
  return outages;
}

/// Texts that repeat, each kept once.
class TextTable {
 public:
  std::size_t index_of(const std::string& text) {
    const auto [at, is_new] = index_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return at->second;
  }
  [[nodiscard]] ordered_json json() const { return texts_; }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<std::string> texts_;
};

ordered_json times_json(const RunRecord& run) {
  ordered_json time = ordered_json::array(), optimal = ordered_json::array(), total = ordered_json::array(),
               down = ordered_json::array();
  for (const IntervalRecord& record : run.result.intervals) {
    time.push_back(unix_s(record.time));
    optimal.push_back(rounded(record.optimal_mlu, 1e4));
    total.push_back(rounded(record.total_bps / 1e9, 1e3));
    ordered_json links = ordered_json::array();
    for (const LinkId link : record.links_down) links.push_back(link.index());
    down.push_back(std::move(links));
  }
  return {{"time", std::move(time)},
          {"optimal", std::move(optimal)},
          {"total_gbps", std::move(total)},
          {"down", std::move(down)}};
}

ordered_json controller_json(const RunRecord& run, std::size_t which, TextTable& texts) {
  ordered_json mlu = ordered_json::array(), overloaded = ordered_json::array(), action = ordered_json::array(),
               reason = ordered_json::array(), churn = ordered_json::array(), alarms = ordered_json::array(),
               lost = ordered_json::array();
  std::vector<std::size_t> overloads(run.topology.link_count(), 0);
  std::vector<double> peak(run.topology.link_count(), 0.0);
  std::vector<std::size_t> peak_at(run.topology.link_count(), 0);
  for (std::size_t t = 0; t < run.result.intervals.size(); ++t) {
    const ControllerInterval& at = run.result.intervals[t].controllers[which];
    mlu.push_back(rounded(at.mlu, 1e4));
    overloaded.push_back(at.overloaded_links);
    action.push_back(texts.index_of(at.action));
    reason.push_back(texts.index_of(at.reason));
    churn.push_back(rounded(at.churn, 1e4));
    for (const std::string& alarm : at.alarms) alarms.push_back({t, texts.index_of(alarm)});
    if (!at.lost_demands.empty()) {
      lost.push_back({t, at.lost_demands.size(), texts.index_of(at.lost_demands.front())});
    }
    for (std::size_t l = 0; l < at.link_utilization.size(); ++l) {
      if (at.link_utilization[l] > 1.0) ++overloads[l];
      if (at.link_utilization[l] <= peak[l]) continue;
      peak[l] = at.link_utilization[l];
      peak_at[l] = t;
    }
  }
  ordered_json links = ordered_json::array();  // of all intervals, also of those that the map leaves out
  for (std::size_t l = 0; l < peak.size(); ++l) links.push_back({rounded(peak[l], 1e4), peak_at[l], overloads[l]});
  return {{"name", run.result.summary[which].name},
          {"colour", report_colour(run, which)},
          {"mlu", std::move(mlu)},
          {"overloaded", std::move(overloaded)},
          {"action", std::move(action)},
          {"reason", std::move(reason)},
          {"churn", std::move(churn)},
          {"alarms", std::move(alarms)},
          {"lost", std::move(lost)},
          {"links", std::move(links)}};
}

ordered_json utilization_json(const RunRecord& run, std::size_t which, const std::vector<std::size_t>& shown) {
  ordered_json rows = ordered_json::array();
  for (const std::size_t t : shown) {
    ordered_json row = ordered_json::array();
    for (const double utilization : run.result.intervals[t].controllers[which].link_utilization) {
      row.push_back(rounded(utilization * 1e3, 1.0));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<std::size_t> find_controller(const RunRecord& run, std::string_view name) {
  for (std::size_t c = 0; c < run.result.summary.size(); ++c) {
    if (run.result.summary[c].name == name) return c;
  }
  return std::nullopt;
}

}  // namespace

std::size_t report_colour(const RunRecord& run, std::size_t controller) {
  const auto known = std::find(kControllerNames.begin(), kControllerNames.end(), run.result.summary[controller].name);
  if (known == kControllerNames.end()) return controller % kControllerNames.size();
  return static_cast<std::size_t>(known - kControllerNames.begin());
}

std::size_t report_subject(const RunRecord& run) {
  return find_controller(run, "scenario").value_or(run.result.summary.size() - 1);
}

std::size_t report_baseline(const RunRecord& run) {
  const std::size_t subject = report_subject(run);
  const std::size_t first_other = subject == 0 && run.result.summary.size() > 1 ? 1 : 0;
  return find_controller(run, "ospf").value_or(first_other);
}

ordered_json report_data(const RunRecord& run) {
  const std::size_t intervals = run.result.intervals.size(), controllers = run.result.summary.size();
  const std::size_t utilizations = intervals * controllers * run.topology.link_count();
  const std::size_t stride =
      std::max<std::size_t>(1, (utilizations + kShownUtilizationsMax - 1) / kShownUtilizationsMax);
  std::vector<std::size_t> shown;
  for (std::size_t t = 0; t < intervals; t += stride) shown.push_back(t);

  TextTable texts;
  ordered_json lanes = ordered_json::array(), utilization = ordered_json::array();
  for (std::size_t c = 0; c < controllers; ++c) {
    lanes.push_back(controller_json(run, c, texts));
    utilization.push_back(utilization_json(run, c, shown));
  }
  ordered_json events = ordered_json::array();
  for (const LinkEvent& event : run.events) {
    events.push_back({{"time", unix_s(event.at)}, {"up", event.up}, {"label", event.label}});
  }
  return {{"interval_s", rounded(to_seconds(run.result.interval), 1e3)},
          {"subject", report_subject(run)},
          {"baseline", report_baseline(run)},
          {"nodes", nodes_json(run.topology)},
          {"links", links_json(run.topology)},
          {"events", std::move(events)},
          {"outages", outages_json(run)},
          {"intervals", times_json(run)},
          {"controllers", std::move(lanes)},
          {"texts", texts.json()},
          {"shown", shown},
          {"utilization", std::move(utilization)}};
}

std::string script_safe(const ordered_json& data) {
  // Bytes that are no UTF-8 become U+FFFD; with all other non-ASCII escaped, only these can still mean something to
  // HTML.
  const std::string text = data.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "\\u003c";
        break;
      case '>':
        safe += "\\u003e";
        break;
      case '&':
        safe += "\\u0026";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

}  // namespace wan::simulator
