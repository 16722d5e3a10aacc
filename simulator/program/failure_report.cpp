#include "simulator/program/failure_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>

#include "simulator/fluid_network.h"

namespace wan::simulator {
namespace {

using controller::FailureKind;
using nlohmann::ordered_json;

struct Spread {
  double mean = 0.0, p50 = 0.0, p99 = 0.0, max = 0.0;
};

/// Nearest-rank percentiles.
Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto rank = [&](double share) {
    return values[static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1];
  };
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {sum / static_cast<double>(values.size()), rank(0.5), rank(0.99), values.back()};
}

/// A column of the table: what it holds and how it is shown.
struct Column {
  const char* key;    ///< in the JSON's summary
  const char* label;  ///< in the table
  int digits;
  double (*value)(const FailureOutcome&);
};

constexpr std::array kColumns{
    Column{"mlu", "re-optimised mlu", 4, [](const FailureOutcome& at) { return at.utilization; }},
    Column{"ratio", "  / reference", 4, [](const FailureOutcome& at) { return at.ratio(at.utilization); }},
    Column{"plan_ms", "  ms", 3, [](const FailureOutcome& at) { return at.plan_ms; }},
    Column{"protection_ratio", "instant protection / reference", 4,
           [](const FailureOutcome& at) { return at.ratio(at.protected_utilization); }},
    Column{"protect_ms", "  ms, ahead of time", 3, [](const FailureOutcome& at) { return at.protect_ms; }},
    Column{"backup_demands", "  demands that move", 0,
           [](const FailureOutcome& at) { return static_cast<double>(at.backup_demands); }},
    Column{"backup_paths", "  paths to store", 0,
           [](const FailureOutcome& at) { return static_cast<double>(at.backup_paths); }},
    Column{"moved_percent", "  % of all traffic moved", 2,
           [](const FailureOutcome& at) { return 100.0 * at.moved_share; }},
    Column{"rescaling_ratio", "rescaling / reference", 4,
           [](const FailureOutcome& at) { return at.ratio(at.rescaled_utilization); }},
    Column{"lost_mbps", "lost Mbit/s", 3, [](const FailureOutcome& at) { return at.lost_bps() / 1e6; }},
};

constexpr std::array kKinds{FailureKind::kLink, FailureKind::kSrlg, FailureKind::kNode};

std::vector<const FailureOutcome*> of_kind(const FailureReport& report, FailureKind kind) {
  std::vector<const FailureOutcome*> found;
  for (const FailureOutcome& outcome : report.outcomes) {
    if (report.failures[outcome.failure].kind == kind) found.push_back(&outcome);
  }
  return found;
}

Spread spread_of(const std::vector<const FailureOutcome*>& outcomes, const Column& column) {
  std::vector<double> values;
  for (const FailureOutcome* outcome : outcomes) values.push_back(column.value(*outcome));
  return spread_of(std::move(values));
}

ordered_json summary_json(const FailureReport& report) {
  ordered_json summary = ordered_json::object();
  for (const FailureKind kind : kKinds) {
    const auto outcomes = of_kind(report, kind);
    if (outcomes.empty()) continue;
    ordered_json columns{{"failures", outcomes.size()}};
    columns["disconnecting"] =
        std::count_if(outcomes.begin(), outcomes.end(), [](const auto* outcome) { return !outcome->lost.empty(); });
    for (const Column& column : kColumns) {
      const Spread spread = spread_of(outcomes, column);
      columns[column.key] = {{"mean", spread.mean}, {"p50", spread.p50}, {"p99", spread.p99}, {"max", spread.max}};
    }
    double backup_demands = 0.0, backup_paths = 0.0;
    for (const FailureOutcome* outcome : outcomes) {
      backup_demands += static_cast<double>(outcome->backup_demands);
      backup_paths += static_cast<double>(outcome->backup_paths);
    }
    columns["stored_splits"] = backup_demands;
    columns["stored_paths"] = backup_paths;
    summary[std::string{controller::to_string(kind)}] = std::move(columns);
  }
  return summary;
}

ordered_json demand_json(const FailureReport& report, const Demand& demand) {
  ordered_json named{{"from", report.topology.node(demand.from).name}, {"to", report.topology.node(demand.to).name}};
  if (report.traffic.class_count() > 1) named["class"] = demand.cls.index();
  named["mbps"] = report.traffic.at(demand.cls, demand.from, demand.to).mbps();
  return named;
}

ordered_json outcome_json(const FailureReport& report, const FailureOutcome& at) {
  const controller::Failure& failure = report.failures[at.failure];
  ordered_json links = ordered_json::array();
  for (const LinkId link : failure.down) links.push_back(report.topology.link(link).name);
  ordered_json lost = ordered_json::array();
  for (const LostDemand& demand : at.lost) lost.push_back(demand_json(report, demand.demand));
  ordered_json one{{"number", at.failure},
                   {"failure", failure.name},
                   {"kind", controller::to_string(failure.kind)},
                   {"links", std::move(links)},
                   {"mlu", at.utilization},
                   {"lower_bound", at.lower_bound},
                   {"optimum", nullptr},
                   {"ratio", at.ratio(at.utilization)},
                   {"plan_ms", at.plan_ms},
                   {"optimum_ms", nullptr},
                   {"protection",
                    {{"mlu", at.protected_utilization},
                     {"ratio", at.ratio(at.protected_utilization)},
                     {"demands", at.backup_demands},
                     {"paths", at.backup_paths},
                     {"moved_share", at.moved_share},
                     {"protect_ms", at.protect_ms}}},
                   {"rescaling", {{"mlu", at.rescaled_utilization}, {"ratio", at.ratio(at.rescaled_utilization)}}},
                   {"lost_mbps", at.lost_bps() / 1e6},
                   {"lost", std::move(lost)},
                   {"verified", true}};
  if (at.optimum) {
    one["optimum"] = *at.optimum;
    one["optimum_ms"] = at.optimum_ms;
  }
  return one;
}

void print_summary(std::ostream& out, const FailureReport& report, FailureKind kind) {
  const auto outcomes = of_kind(report, kind);
  if (outcomes.empty()) return;
  const auto cut = std::count_if(outcomes.begin(), outcomes.end(), [](const auto* at) { return !at->lost.empty(); });
  out << outcomes.size() << " single " << controller::to_string(kind) << " failures, " << cut
      << " of them disconnect demands\n"
      << std::left << std::setw(34) << "" << std::right << std::setw(12) << "mean" << std::setw(12) << "p50"
      << std::setw(12) << "p99" << std::setw(12) << "max" << '\n';
  for (const Column& column : kColumns) {
    const Spread spread = spread_of(outcomes, column);
    out << std::left << std::setw(34) << column.label << std::right << std::fixed << std::setprecision(column.digits);
    for (const double value : {spread.mean, spread.p50, spread.p99, spread.max}) out << std::setw(12) << value;
    out << std::defaultfloat << '\n';
  }
  out << '\n';
}

void print_outcome(std::ostream& out, const FailureReport& report, const FailureOutcome& at, int width) {
  const controller::Failure& failure = report.failures[at.failure];
  out << std::left << std::setw(width) << failure.name << std::setw(6) << controller::to_string(failure.kind)
      << std::right << std::fixed << std::setprecision(4) << std::setw(9) << at.utilization << std::setw(9)
      << at.ratio(at.utilization) << std::setw(9) << at.ratio(at.protected_utilization) << std::setw(10)
      << at.ratio(at.rescaled_utilization) << std::setprecision(2) << std::setw(9) << at.plan_ms << std::setprecision(3)
      << std::setw(14) << at.lost_bps() / 1e6 << std::defaultfloat << '\n';
}

/// "A>B 3.1, B>A 2.5 and 4 more".
std::string lost_text(const FailureReport& report, const FailureOutcome& at) {
  constexpr std::size_t kNamed = 6;
  std::vector<const LostDemand*> largest;
  for (const LostDemand& demand : at.lost) largest.push_back(&demand);
  std::stable_sort(largest.begin(), largest.end(), [](const auto* a, const auto* b) { return a->bps > b->bps; });
  std::ostringstream text;
  text << std::setprecision(4);
  for (std::size_t i = 0; i < std::min(kNamed, largest.size()); ++i) {
    text << (i > 0 ? ", " : "") << demand_name(report.topology, largest[i]->demand) << ' ' << largest[i]->bps / 1e6;
  }
  if (largest.size() > kNamed) text << " and " << largest.size() - kNamed << " more";
  return text.str();
}

}  // namespace

std::vector<std::size_t> worst_first(const FailureReport& report) {
  std::vector<std::size_t> order(report.outcomes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const FailureOutcome& one = report.outcomes[a];
    const FailureOutcome& other = report.outcomes[b];
    return std::pair{one.lost_bps(), one.utilization} > std::pair{other.lost_bps(), other.utilization};
  });
  return order;
}

ordered_json failures_json(const FailureReport& report) {
  ordered_json unrouted = ordered_json::array();
  for (const Demand& demand : report.base.unrouted) unrouted.push_back(demand_json(report, demand));
  ordered_json failures = ordered_json::array();
  for (const std::size_t place : worst_first(report)) failures.push_back(outcome_json(report, report.outcomes[place]));
  return {{"format", "aiwan-failures/1"},
          {"nodes", report.topology.node_count()},
          {"links", report.topology.link_count()},
          {"reference", report.exact ? "optimum" : "lower_bound"},
          {"base",
           {{"mlu", report.base.utilization},
            {"lower_bound", report.base.lower_bound},
            {"paths", report.base.paths},
            {"plan_ms", report.base.plan_ms},
            {"unrouted", std::move(unrouted)}}},
          {"summary", summary_json(report)},
          {"failures", std::move(failures)}};
}

void print_failures(std::ostream& out, const FailureReport& report, std::size_t rows) {
  out << std::setprecision(6) << "without failure: largest utilisation " << report.base.utilization
      << ", no plan can be below " << report.base.lower_bound << ", " << report.base.paths << " paths, "
      << std::setprecision(3) << report.base.plan_ms << " ms\n\n";
  for (const FailureKind kind : kKinds) print_summary(out, report, kind);
  std::size_t name_width = 8;
  for (const controller::Failure& failure : report.failures) name_width = std::max(name_width, failure.name.size());
  const int width = static_cast<int>(std::min<std::size_t>(name_width, 44)) + 2;
  out << std::left << std::setw(width) << "failure" << std::setw(6) << "kind" << std::right << std::setw(9) << "mlu"
      << std::setw(9) << "ratio" << std::setw(9) << "instant" << std::setw(10) << "rescaled" << std::setw(9) << "ms"
      << std::setw(14) << "lost Mbit/s" << '\n';
  const std::vector<std::size_t> order = worst_first(report);
  const std::size_t shown = rows == 0 ? order.size() : std::min(rows, order.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const FailureOutcome& at = report.outcomes[order[i]];
    print_outcome(out, report, at, width);
    if (!at.lost.empty()) out << "  ALARM: cut off (Mbit/s): " << lost_text(report, at) << '\n';
  }
  if (shown < order.size()) out << "(" << order.size() - shown << " more: --rows 0, --json)\n";
  out << "ratio, instant, rescaled: largest utilisation over "
      << (report.exact ? "that failure's optimum" : "that failure's lower bound; --exact compares with the optimum")
      << "\nall verified\n";
}

std::string pack_outcomes(std::span<const FailureOutcome> outcomes) {
  nlohmann::json all = nlohmann::json::array();
  for (const FailureOutcome& at : outcomes) {
    nlohmann::json lost = nlohmann::json::array();
    for (const LostDemand& demand : at.lost) {
      lost.push_back({demand.demand.cls.index(), demand.demand.from.index(), demand.demand.to.index(), demand.bps});
    }
    all.push_back({at.failure, at.utilization, at.lower_bound, at.plan_ms, at.optimum.has_value(),
                   at.optimum.value_or(0.0), at.optimum_ms, at.protected_utilization, at.backup_demands,
                   at.backup_paths, at.moved_share, at.protect_ms, at.rescaled_utilization, std::move(lost)});
  }
  return all.dump();
}

Result<std::vector<FailureOutcome>> unpack_outcomes(std::string_view bytes) {
  try {
    std::vector<FailureOutcome> outcomes;
    for (const nlohmann::json& row : nlohmann::json::parse(bytes)) {
      FailureOutcome at{.failure = row.at(0),
                        .utilization = row.at(1),
                        .lower_bound = row.at(2),
                        .plan_ms = row.at(3),
                        .optimum = std::nullopt,
                        .optimum_ms = row.at(6),
                        .protected_utilization = row.at(7),
                        .backup_demands = row.at(8),
                        .backup_paths = row.at(9),
                        .moved_share = row.at(10),
                        .protect_ms = row.at(11),
                        .rescaled_utilization = row.at(12),
                        .lost = {}};
      if (row.at(4)) at.optimum = row.at(5);
      for (const nlohmann::json& demand : row.at(13)) {
        at.lost.push_back({{TrafficClass{demand.at(0).get<std::size_t>()}, NodeId{demand.at(1).get<std::size_t>()},
                            NodeId{demand.at(2).get<std::size_t>()}},
                           demand.at(3)});
      }
      outcomes.push_back(std::move(at));
    }
    return outcomes;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInternal, std::string{"a rank sent what is no list of outcomes: "} + error.what());
  }
}

}  // namespace wan::simulator
