#include "simulator/program/report_html.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "core/io/message_text.h"
#include "simulator/program/embedded_text.h"
#include "simulator/program/report_data.h"

namespace wan::simulator {
namespace {

/// Text as it may stand in HTML, between tags or in a quoted attribute. Bytes that are no UTF-8 are written out.
std::string html(std::string_view text) {
  const std::string readable = io::is_utf8(text) ? std::string{text} : io::on_one_line(text);
  std::string out;
  out.reserve(readable.size());
  for (const char c : readable) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "∞";
  std::array<char, 400> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

/// Whole numbers with thousands apart: 12,400.
std::string grouped(double value) {
  const std::string digits = fixed(value, 0);
  if (!std::isfinite(value)) return digits;
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

/// With no line break within "link-minutes".
std::string kept_together(std::string text) {
  constexpr std::string_view kBreakable = "link-minute", kWhole = "link\u2011minute";
  for (auto at = text.find(kBreakable); at != std::string::npos; at = text.find(kBreakable, at)) {
    text.replace(at, kBreakable.size(), kWhole);
  }
  return text;
}

std::string minutes(double link_minutes) {
  return grouped(link_minutes) + (link_minutes == 1.0 ? " link-minute" : " link-minutes");
}

/// `09 Mar 2026 00:00`
std::string readable_time(Timestamp time) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string iso = format_timestamp(time);
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return iso.substr(8, 2) + " " + std::string{kMonths[static_cast<unsigned>(date.month()) - 1]} + " " +
         iso.substr(0, 4) + " " + iso.substr(11, 5);
}

std::string counted(std::size_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string{thing} + (count == 1 ? "" : "s");
}

/// What the run was, in small facts under the title.
std::vector<std::string> facts(const RunRecord& run) {
  const auto& intervals = run.result.intervals;
  const Timestamp end = intervals.back().time + std::chrono::floor<std::chrono::seconds>(run.result.interval);
  std::vector<std::string> found{run.topology_name + ": " + counted(run.topology.node_count(), "node") + ", " +
                                     counted(run.topology.link_count(), "directed link"),
                                 readable_time(intervals.front().time) + " to " + readable_time(end) + " UTC",
                                 counted(intervals.size(), "interval") + " of " +
                                     fixed(to_seconds(run.result.interval) / 60.0, 0) + " min after " +
                                     std::to_string(run.history_rows) + " of history",
                                 "forecasts by " + run.result.forecaster};
  if (run.scale != 1.0) found.push_back("traffic × " + fixed(run.scale, 2));
  found.push_back(run.seed ? "seed " + std::to_string(*run.seed) : std::string{"measured traffic"});
  return found;
}

struct Column {
  std::string_view head, unit;
  std::string_view meaning;
  double (*value)(const ControllerSummary&);
  int decimals;
  bool less_is_better;  // else: more is; of columns without a better, `ranked` is false
  bool ranked;
};

const std::vector<Column>& columns() {
  using S = ControllerSummary;
  static const std::vector<Column> all{
      {"overload", "link-min", "minutes that links were offered more than they carry, added over links",
       [](const S& s) { return s.overload_link_minutes; }, 0, true, true},
      {"delivered", "%", "of all bits offered, those that reach their destination",
       [](const S& s) { return 100.0 * s.delivered_share; }, 3, false, true},
      {"peak utilisation", "load / capacity", "the most loaded link's, at the worst moment",
       [](const S& s) { return s.mlu_max; }, 3, true, true},
      {"mean", "", "the most loaded link's utilisation, averaged over time", [](const S& s) { return s.mlu_mean; }, 3,
       true, true},
      {"vs optimum", "mean ×", "largest utilisation over the least possible one, which knows the traffic in advance",
       [](const S& s) { return s.ratio_mean; }, 3, true, true},
      {"p99", "× optimum", "exceeded in one interval of a hundred", [](const S& s) { return s.ratio_p99; }, 3, true,
       true},
      {"max", "× optimum", "the worst interval", [](const S& s) { return s.ratio_max; }, 3, true, true},
      {"path delay", "× shortest", "propagation delay over the shortest possible, averaged",
       [](const S& s) { return s.delay_stretch_mean; }, 3, true, true},
      {"moved", "% / interval", "share of traffic whose path changes between two intervals",
       [](const S& s) { return 100.0 * s.churn_mean; }, 2, true, false},
      {"paths", "max", "the most paths that a demand is split over",
       [](const S& s) { return static_cast<double>(s.paths_per_demand_max); }, 0, true, false},
      {"decision", "ms, p50", "time to forecast, plan and check", [](const S& s) { return s.decide_ms_p50; }, 1, true,
       false},
      {"p99", "ms", "the slowest decision in a hundred", [](const S& s) { return s.decide_ms_p99; }, 1, true, false}};
  return all;
}

/// Whether no controller does better in a column, to the digits shown, and some do worse.
bool is_best(const RunRecord& run, const Column& column, const ControllerSummary& row) {
  if (!column.ranked) return false;
  const std::string own = fixed(column.value(row), column.decimals);
  bool some_worse = false;
  for (const ControllerSummary& other : run.result.summary) {
    if (fixed(column.value(other), column.decimals) == own) continue;
    if ((column.value(other) < column.value(row)) == column.less_is_better) return false;
    some_worse = true;
  }
  return some_worse;
}

std::string controllers_table(const RunRecord& run) {
  std::string out = "<thead><tr><th scope=\"col\">controller</th>";
  for (const Column& column : columns()) {
    out += "<th scope=\"col\" title=\"" + html(column.meaning) + "\">" + html(column.head) + "<small>" +
           html(column.unit) + "</small></th>";
  }
  out += "</tr></thead><tbody>";
  for (std::size_t c = 0; c < run.result.summary.size(); ++c) {
    const ControllerSummary& row = run.result.summary[c];
    out += "<tr" + std::string{c == report_subject(run) ? " class=\"subject\"" : ""} +
           "><th scope=\"row\"><i class=\"key key-" + std::to_string(report_colour(run, c)) + "\"></i>" +
           html(row.name) + "</th>";
    for (const Column& column : columns()) {
      const double value = column.value(row);
      out += std::string{is_best(run, column, row) ? "<td class=\"best\">" : "<td>"} +
             (column.decimals == 0 ? grouped(value) : fixed(value, column.decimals)) + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody>";
}

/// Large numbers for the top of the page: the subject's, with the baseline's beside it.
std::string tiles(const RunRecord& run) {
  const ControllerSummary& subject = run.result.summary[report_subject(run)];
  const ControllerSummary& baseline = run.result.summary[report_baseline(run)];
  const auto tile = [&](std::string_view head, const std::string& own, const std::string& unit,
                        const std::string& other) {
    std::string out =
        "<div class=\"tile\"><h3>" + html(head) + "</h3><p><b>" + html(own) + "</b> " + html(unit) + "</p>";
    if (&subject != &baseline) out += "<p class=\"other\">" + html(baseline.name) + " " + html(other) + "</p>";
    return out + "</div>";
  };
  return tile("Overload", grouped(subject.overload_link_minutes), "link-minutes",
              grouped(baseline.overload_link_minutes)) +
         tile("Peak utilisation", fixed(subject.mlu_max, 2), "of capacity", fixed(baseline.mlu_max, 2)) +
         tile("Above the optimum", fixed(100.0 * (subject.ratio_mean - 1.0), 1), "% on average",
              fixed(100.0 * (baseline.ratio_mean - 1.0), 1) + " %") +
         tile("Delivered", fixed(100.0 * subject.delivered_share, 3), "% of traffic",
              fixed(100.0 * baseline.delivered_share, 3) + " %");
}

std::string title_facts(const RunRecord& run) {
  std::string out;
  for (const std::string& fact : facts(run)) out += "<li>" + html(fact) + "</li>";
  return out;
}

/// The page with each `@@NAME@@` replaced. What is put in is not looked at again, so no text can name a place.
std::string filled(std::string_view page, const std::vector<std::pair<std::string_view, std::string>>& values) {
  constexpr std::string_view kMark = "@@";
  std::string out;
  for (;;) {
    const std::size_t open = page.find(kMark);
    out += page.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = page.find(kMark, open + kMark.size());
    const std::string_view name = page.substr(open + kMark.size(), close - open - kMark.size());
    for (const auto& [key, value] : values) {
      if (key == name) out += value;
    }
    page.remove_prefix(close + kMark.size());
  }
}

}  // namespace

std::string report_verdict(const RunRecord& run) {
  const ControllerSummary& subject = run.result.summary[report_subject(run)];
  const ControllerSummary& baseline = run.result.summary[report_baseline(run)];
  const bool alone = &subject == &baseline;
  std::string text = subject.name + " carried " + run.scenario_name;
  if (subject.overload_link_minutes == 0.0 && (alone || baseline.overload_link_minutes == 0.0)) {
    text += " without overloading a link: it peaked at " + fixed(subject.mlu_max, 2) + " of a link's capacity";
    return text + (alone ? "." : ", " + baseline.name + " at " + fixed(baseline.mlu_max, 2) + ".");
  }
  text += subject.overload_link_minutes == 0.0 ? " without overloading a link"
                                               : " with " + minutes(subject.overload_link_minutes) + " of overload";
  if (alone) return text + ".";
  text += "; " + baseline.name + " had " + minutes(baseline.overload_link_minutes) + ".";
  return text;
}

std::string report_html(const RunRecord& run) {
  return filled(kReportPage, {{"TITLE", html(run.scenario_name)},
                              {"STYLE", std::string{kReportStyle}},
                              {"VERDICT", kept_together(html(report_verdict(run)))},
                              {"FACTS", title_facts(run)},
                              {"TILES", tiles(run)},
                              {"CONTROLLERS", controllers_table(run)},
                              {"DATA", script_safe(report_data(run))},
                              {"SCRIPT", std::string{kReportScript}}});
}

}  // namespace wan::simulator
