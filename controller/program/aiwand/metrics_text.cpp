#include "controller/program/aiwand/metrics_text.h"

#include <cstdio>
#include <string_view>

namespace wan::controller {
namespace {

/// Collects samples, each family with its help and type before its first one.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
  }
  void sample(double value, std::string_view label = {}, std::string_view of = {}) {
    text_.append(name_);
    if (!label.empty()) {
      text_.append("{").append(label).append("=\"");
      for (const char c : of) {
        if (c == '"' || c == '\\') text_.push_back('\\');
        text_.push_back(c);
      }
      text_.append("\"}");
    }
    char number[40];
    std::snprintf(number, sizeof number, " %.17g\n", value);
    text_.append(number);
  }
  void counter(std::string_view name, std::string_view help, double value) {
    family(name, "counter", help);
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    family(name, "gauge", help);
    sample(value);
  }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  std::string name_, text_;
};

double real(std::uint64_t value) { return static_cast<double>(value); }

void add_loop(Exposition& out, const DaemonState& state, const PlanKeeper& keeper, Timestamp now) {
  const Counts& counts = state.counts;
  out.gauge("aiwand_uptime_seconds", "Since the daemon started.",
            real(static_cast<std::uint64_t>((now - state.started).count())));
  out.counter("aiwand_intervals_total", "Measured intervals taken in.", real(counts.intervals));
  out.counter("aiwand_decisions_total", "Decisions made.", real(counts.decisions));
  out.counter("aiwand_plan_installs_total", "Plans put in force.", real(counts.installs));
  out.counter("aiwand_base_installs_total", "Programs without a plan that connected nodes which had none.",
              real(counts.base_installs));
  out.counter("aiwand_programs_refused_total", "Programs that nodes refused.", real(counts.programs_refused));
  out.counter("aiwand_decide_seconds_total", "Time from a complete matrix to its decision recorded.",
              counts.decide_seconds);
  out.counter("aiwand_plan_rounds_total", "Plans that all nodes acknowledged.", real(counts.rounds));
  out.counter("aiwand_plan_round_seconds_total", "Time from sending a plan to its last acknowledgement.",
              counts.round_seconds);
  out.counter("aiwand_api_requests_total", "Requests that reached the loop.", real(counts.requests));
  out.gauge("aiwand_epoch", "Of the programs in force.", real(state.in_force.epoch));
  out.gauge("aiwand_nodes_waiting", "Nodes that have not taken the program in force.",
            real(keeper.southbound().waiting().size()));
  out.gauge("aiwand_nodes_reporting", "Managed nodes heard of lately.", real(state.nodes.reporting()));
  out.gauge("aiwand_links_up", "Directed links that are up.", real(state.links.links_up()));
  out.gauge("aiwand_alarms", "Alarms at present.", real(state.alarms.size()));
  out.gauge("aiwand_paused", "1 while automation is paused.", state.settings.paused ? 1.0 : 0.0);
}

void add_traffic(Exposition& out, const DaemonState& state) {
  if (!state.last) return;
  out.gauge("aiwand_traffic_bps", "All demands of the newest interval.", state.last->total_bps);
  out.gauge("aiwand_max_utilization", "Of the links that somebody counts, measured.", state.last->max_utilization);
  out.family("aiwand_link_utilization", "gauge", "Measured, by directed link.");
  for (std::size_t l = 0; l < state.topology().link_count(); ++l) {
    if (!state.last->measured.link_known[l]) continue;
    const Link& link = state.topology().links()[l];
    out.sample(state.last->measured.link_rates[l] / link.capacity, "link", link.name);
  }
  out.family("aiwand_link_drops", "gauge", "Packets dropped in the newest interval, by directed link.");
  for (std::size_t l = 0; l < state.topology().link_count(); ++l) {
    if (state.last->measured.link_known[l]) {
      out.sample(real(state.last->measured.link_drops[l]), "link", state.topology().links()[l].name);
    }
  }
}

}  // namespace

std::string metrics_text(const DaemonState& state, const PlanKeeper& keeper, const telemetry::BusCounts& bus,
                         const telemetry::MatrixBuilderCounts& matrices, Timestamp now) {
  Exposition out;
  add_loop(out, state, keeper, now);
  add_traffic(out, state);
  out.counter("aiwand_bus_received_total", "Well-formed bus messages.", real(bus.received));
  out.counter("aiwand_bus_malformed_total", "Bus messages refused by the decoder.", real(bus.malformed));
  out.counter("aiwand_bus_other_version_total", "Bus messages of another version.", real(bus.other_version));
  out.counter("aiwand_bus_misattributed_total", "Bus messages that named another node.", real(bus.misattributed));
  out.counter("aiwand_bus_sent_total", "Bus messages sent.", real(bus.sent));
  out.counter("aiwand_bus_send_drops_total", "Bus messages not sent: queue full or node gone.", real(bus.send_drops));
  out.family("aiwand_reports_total", "counter", "Interval reports by what became of them.");
  out.sample(real(matrices.used), "outcome", "used");
  out.sample(real(matrices.late), "outcome", "late");
  out.sample(real(matrices.duplicate), "outcome", "duplicate");
  out.sample(real(matrices.unknown_node), "outcome", "unknown_node");
  out.counter("aiwand_reports_skewed_total", "Interval reports of nodes whose clock is off.", real(matrices.skewed));
  out.counter("aiwand_node_restarts_total", "Nodes that came with a new life.", real(matrices.restarts));
  out.counter("aiwand_intervals_incomplete_total", "Intervals with nodes missing.", real(matrices.incomplete));
  return std::move(out).take();
}

}  // namespace wan::controller
