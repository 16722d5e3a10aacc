#include "simulator/program/scenario_inputs.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "core/io/message_text.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/io/yaml_tree.h"
#include "simulator/workload.h"

namespace wan::simulator {
namespace {

constexpr std::size_t kHistoryMin = 2;  // rows before the first scored one, as the closed loop asks

/// Looks a scenario's names up in its network and traffic.
class Lookup {
 public:
  Lookup(const ScenarioFile& scenario, const Topology& topology, const TrafficSeries& series)
      : scenario_{scenario}, topology_{topology}, series_{series} {}

  Result<ClosedLoopOptions> options() const {
    ClosedLoopOptions options{.controllers = scenario_.controllers,
                              .utilization_target = scenario_.utilization_target,
                              .tail = scenario_.tail,
                              .change_weight = scenario_.change_weight,
                              .events = {}};
    const auto from = row_of(scenario_.score_from);
    if (!from) return tl::unexpected<Error>{from.error()};
    options.score_from = *from;
    options.score_to = series_.intervals.size();
    if (scenario_.score_to) {
      const auto to = row_of(*scenario_.score_to);
      if (!to) return tl::unexpected<Error>{to.error()};
      options.score_to = *to;
    }
    if (options.score_from < kHistoryMin) {
      return refuse(scenario_.score_from, "is row " + std::to_string(options.score_from) + "; at least " +
                                              std::to_string(kHistoryMin) + " rows of history must come before it");
    }
    if (options.score_from >= options.score_to) {
      return refuse(scenario_.score_to ? *scenario_.score_to : scenario_.score_from,
                    "leaves no row to score: from row " + std::to_string(options.score_from) + " to before row " +
                        std::to_string(options.score_to));
    }
    auto events = this->events(options.score_to);
    if (!events) return tl::unexpected<Error>{events.error()};
    options.events = *std::move(events);
    return options;
  }

 private:
  tl::unexpected<Error> refuse(const Moment& moment, std::string_view message) const {
    return io::yaml_error(scenario_.file, moment.line, moment.key, message);
  }
  tl::unexpected<Error> refuse(const ScenarioEvent& event, std::string_view message) const {
    return io::yaml_error(scenario_.file, event.line, event.key, message);
  }

  [[nodiscard]] Timestamp begin() const { return series_.intervals.front().measured_at(); }
  /// When the last interval is over.
  [[nodiscard]] Timestamp end() const {
    return series_.intervals.back().measured_at() + std::chrono::floor<std::chrono::seconds>(series_.interval());
  }
  [[nodiscard]] std::string span() const {
    return std::to_string(series_.intervals.size()) + " rows, from " + format_timestamp(begin()) + " to " +
           format_timestamp(end());
  }

  Result<Timestamp> time_of(const Moment& moment) const {
    Timestamp time = moment.time;
    if (moment.kind == Moment::Kind::kRow) {
      if (moment.row > series_.intervals.size()) {
        return refuse(moment, "row " + std::to_string(moment.row) + " does not exist: the traffic has " + span());
      }
      time = moment.row < series_.intervals.size() ? series_.intervals[moment.row].measured_at() : end();
    } else if (moment.kind == Moment::Kind::kDay) {
      const auto first_day = std::chrono::floor<std::chrono::days>(begin());
      time = first_day + std::chrono::days{static_cast<int>(moment.day) - 1} + moment.time_of_day;
    }
    if (time < begin() || time > end()) {
      return refuse(moment, format_timestamp(time) + " is outside the traffic, which has " + span());
    }
    return time;
  }

  /// The first row that begins at the moment or later.
  Result<std::size_t> row_of(const Moment& moment) const {
    const auto time = time_of(moment);
    if (!time) return tl::unexpected<Error>{time.error()};
    const auto found = std::find_if(series_.intervals.begin(), series_.intervals.end(),
                                    [&](const TrafficMatrix& matrix) { return matrix.measured_at() >= *time; });
    return static_cast<std::size_t>(found - series_.intervals.begin());
  }

  Result<std::vector<LinkEvent>> events(std::size_t score_to) const {
    const Timestamp scored_until =
        score_to < series_.intervals.size() ? series_.intervals[score_to].measured_at() : end();
    std::vector<std::pair<LinkEvent, const ScenarioEvent*>> found;
    for (const ScenarioEvent& event : scenario_.events) {
      const auto at = time_of(event.at);
      if (!at) return tl::unexpected<Error>{at.error()};
      if (*at >= scored_until) {
        return refuse(event.at, format_timestamp(*at) + " is after the last scored row, which ends at " +
                                    format_timestamp(scored_until));
      }
      auto links = links_of(event);
      if (!links) return tl::unexpected<Error>{links.error()};
      found.emplace_back(LinkEvent{.at = *at, .up = event.up, .links = *std::move(links), .label = event.label},
                         &event);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first.at < b.first.at; });
    return check_changes(std::move(found));
  }

  /// Refuses an event that finds all its links as it would leave them: a slip of the pen.
  Result<std::vector<LinkEvent>> check_changes(std::vector<std::pair<LinkEvent, const ScenarioEvent*>> found) const {
    std::set<LinkId> down;
    std::vector<LinkEvent> events;
    for (auto& [event, source] : found) {
      bool changes = false;
      for (const LinkId link : event.links) changes |= event.up ? down.erase(link) > 0 : down.insert(link).second;
      if (!changes) {
        return refuse(*source, event.up ? "is not down at that time" : "is down already at that time");
      }
      events.push_back(std::move(event));
    }
    return events;
  }

  Result<std::vector<LinkId>> links_of(const ScenarioEvent& event) const {
    std::set<LinkId> links;
    for (const std::string& target : event.targets) {
      const std::vector<LinkId> found = links_of(target);
      if (found.empty()) {
        return refuse(event, "there is no link or node " + io::in_quotes(target) +
                                 "; write \"A - B\" for both directions, \"A > B\" for one, or a node's name");
      }
      links.insert(found.begin(), found.end());
    }
    return std::vector<LinkId>(links.begin(), links.end());
  }

  std::vector<LinkId> links_of(std::string_view target) const {
    if (const auto node = topology_.find_node(target)) {
      std::vector<LinkId> links;
      for (std::size_t l = 0; l < topology_.link_count(); ++l) {
        const Link& link = topology_.links()[l];
        if (link.from == *node || link.to == *node) links.emplace_back(l);
      }
      return links;
    }
    for (const std::string_view separator : {" - ", " > "}) {
      // Node names may hold the separator themselves, hence every cut.
      for (auto cut = target.find(separator); cut != std::string_view::npos; cut = target.find(separator, cut + 1)) {
        const auto from = topology_.find_node(target.substr(0, cut));
        const auto to = topology_.find_node(target.substr(cut + separator.size()));
        if (!from || !to) continue;
        std::vector<LinkId> links = topology_.links_between(*from, *to);
        if (separator == " > ") return links;
        const std::vector<LinkId> back = topology_.links_between(*to, *from);
        links.insert(links.end(), back.begin(), back.end());
        return links;
      }
    }
    return {};
  }

  const ScenarioFile& scenario_;
  const Topology& topology_;
  const TrafficSeries& series_;
};

}  // namespace

Result<ScenarioTopology> scenario_topology(const ScenarioFile& scenario) {
  if (!scenario.topology_file) {
    return ScenarioTopology{.topology = builtin_backbone(), .name = "backbone12", .assumptions = {}};
  }
  auto file = io::read_topology(*scenario.topology_file);
  if (!file) return tl::unexpected<Error>{file.error()};
  return ScenarioTopology{.topology = std::move(file->topology),
                          .name = scenario.topology_file->filename().string(),
                          .assumptions = std::move(file->assumptions)};
}

Result<TrafficSeries> scenario_traffic(const ScenarioFile& scenario, const Topology& topology) {
  auto series = scenario.traffic_file ? io::read_traffic_csv(*scenario.traffic_file, topology)
                                      : generate_traffic(topology, scenario.generator);
  if (!series || scenario.scale == 1.0) return series;
  for (TrafficMatrix& matrix : series->intervals) matrix = matrix.scaled(scenario.scale);
  return series;
}

Result<ClosedLoopOptions> scenario_options(const ScenarioFile& scenario, const Topology& topology,
                                           const TrafficSeries& series) {
  return Lookup{scenario, topology, series}.options();
}

}  // namespace wan::simulator
