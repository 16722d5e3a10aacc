#include "controller/program/aiwand/metrics_text.h"

#include <cstdio>
#include <string_view>
#include <utility>

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
  void sample(double value) {
    char number[40];
    std::snprintf(number, sizeof number, " %.17g\n", value);
    text_.append(name_).append(number);
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

}  // namespace

std::string metrics_text(const DaemonState& state, const PlanKeeper& keeper, Timestamp now) {
  const Counts& counts = state.counts;
  Exposition out;
  out.gauge("aiwan_uptime_seconds", "Since the daemon started.", static_cast<double>((now - state.started).count()));
  out.counter("aiwan_plan_installs_total", "Plans put in force.", real(counts.installs));
  out.counter("aiwan_base_installs_total", "Programs without a plan that connected a new network.",
              real(counts.base_installs));
  out.counter("aiwan_programs_refused_total", "Programs that nodes refused.", real(counts.programs_refused));
  out.counter("aiwan_api_requests_total", "Requests that reached the loop.", real(counts.requests));
  out.gauge("aiwan_epoch", "Of the programs in force.", real(state.in_force.epoch));
  out.gauge("aiwan_nodes_waiting", "Nodes that have not taken the program in force.",
            real(keeper.southbound().waiting().size()));
  out.gauge("aiwan_links_up", "Directed links that are up.", real(state.links.links_up()));
  out.gauge("aiwan_paused", "1 while automation is paused.", state.settings.paused ? 1.0 : 0.0);
  return std::move(out).take();
}

}  // namespace wan::controller
