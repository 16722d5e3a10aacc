#include "telemetry/prometheus/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "telemetry/matrix_builder.h"
#include "telemetry/sqlite/history_store.h"
#include "telemetry/zmq/bus.h"

namespace wan::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

/// From a millisecond, the planner's least, to ten seconds, over which a decision is of no use.
const Histogram::BucketBoundaries kSeconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0};

/// A counter that follows a number kept elsewhere.
class Follower {
 public:
  explicit Follower(Counter& counter) : counter_{&counter} {}
  void follow(std::uint64_t value) {
    counter_->Increment(static_cast<double>(value >= last_ ? value - last_ : value));
    last_ = value;
  }

 private:
  Counter* counter_;  // outlives this: the registry's
  std::uint64_t last_ = 0;
};

}  // namespace

struct Metrics::Impl {
  explicit Impl(const Topology& network) : topology{network} {
    for (const Link& link : topology.links()) {
      utilization.push_back(&utilization_family.Add({{"link", link.name}}));
      link_drops.push_back(&link_drops_family.Add({{"link", link.name}}));
    }
    for (const Node& node : topology.nodes()) reporting.push_back(&reporting_family.Add({{"node", node.name}}));
  }

  prometheus::Family<Counter>& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<Gauge>& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<Histogram>& histograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }
  Follower following(const char* name, const char* help) { return Follower{counters(name, help).Add({})}; }
  Follower report(const char* fate) { return Follower{reports.Add({{"fate", fate}})}; }

  Topology topology;
  mutable std::mutex mutex;  // of the followers; the registry has its own
  prometheus::Registry registry;

  Histogram& decision_seconds =
      histograms("aiwan_decision_duration_seconds", "One pass of the control loop").Add({}, kSeconds);
  prometheus::Family<Counter>& decisions = counters("aiwan_decisions_total", "Decisions, by what was decided");
  Histogram& install_seconds =
      histograms("aiwan_install_duration_seconds", "From sending a plan to the last node's answer").Add({}, kSeconds);
  prometheus::Family<Counter>& installs = counters("aiwan_installs_total", "Plans sent to nodes, by how that ended");
  prometheus::Family<Counter>& alarms_raised = counters("aiwan_alarms_raised_total", "Alarms, by kind");
  prometheus::Family<Gauge>& alarms_active = gauges("aiwan_alarms_active", "Alarms that stand now, by kind");
  prometheus::Family<Gauge>& reporting_family =
      gauges("aiwan_node_reporting", "1: the node reports; 0: it is silent, or runs no agent");
  prometheus::Family<Gauge>& utilization_family =
      gauges("aiwan_link_utilization_ratio", "Measured rate over capacity, of the newest interval");
  prometheus::Family<Counter>& link_drops_family =
      counters("aiwan_link_dropped_packets_total", "Packets lost at a link's ends");
  Gauge& demand =
      gauges("aiwan_demand_bits_per_second", "Traffic that entered the network, of the newest interval").Add({});
  Gauge& censored =
      gauges("aiwan_censored_demands", "Demands measured while their packets were dropped, of the newest interval")
          .Add({});
  Gauge& missing = gauges("aiwan_missing_nodes", "Managed nodes without a report in the newest interval").Add({});
  Counter& intervals = counters("aiwan_intervals_total", "Intervals measured").Add({});

  Follower bus_received = following("aiwan_bus_received_total", "Well-formed messages from nodes");
  Follower bus_malformed = following("aiwan_bus_malformed_total", "Messages that the decoder refused");
  Follower bus_other_version = following("aiwan_bus_other_version_total", "Messages of another version");
  Follower bus_misattributed = following("aiwan_bus_misattributed_total", "Messages in another node's name");
  Follower bus_disconnects = following("aiwan_bus_disconnects_total", "Connections from nodes that ended");
  Follower bus_sent = following("aiwan_bus_sent_total", "Messages to nodes");
  Follower bus_send_drops = following("aiwan_bus_send_drops_total", "Messages that could not be sent");

  prometheus::Family<Counter>& reports =
      counters("aiwan_reports_total", "Nodes' interval reports, by what became of them");
  Follower reports_used = report("used"), reports_late = report("late"), reports_duplicate = report("duplicate"),
           reports_unknown = report("unknown_node");
  Follower restarts = following("aiwan_node_restarts_total", "Nodes that came with a new boot id");
  Follower skewed = following("aiwan_reports_skewed_total", "Reports of nodes whose clock is wrong");
  Follower unknown_destinations =
      following("aiwan_report_unknown_destinations_total", "Entries of reports that name no node of the network");
  Follower incomplete = following("aiwan_intervals_incomplete_total", "Intervals measured with nodes missing");

  Follower history_recorded = following("aiwan_history_recorded_total", "Intervals written to the history");
  Follower history_dropped = following("aiwan_history_dropped_total", "Intervals that the history had no room for");
  Follower history_failures = following("aiwan_history_failures_total", "Transactions of the history that failed");
  Follower history_expired = following("aiwan_history_expired_total", "Rows deleted because of their age");
  Gauge& history_queue = gauges("aiwan_history_queue_intervals", "Intervals that wait to be written").Add({});
  Gauge& history_alarm = gauges("aiwan_history_alarm", "1: nothing is being recorded").Add({});

  std::vector<Gauge*> utilization, reporting;  // by link, by node
  std::vector<Counter*> link_drops;            // by link
};

Metrics::Metrics(const Topology& topology) : impl_{std::make_unique<Impl>(topology)} {}
Metrics::~Metrics() = default;
Metrics::Metrics(Metrics&&) noexcept = default;
Metrics& Metrics::operator=(Metrics&&) noexcept = default;

void Metrics::observe_decision(std::string_view action, Duration took) {
  impl_->decision_seconds.Observe(to_seconds(took));
  impl_->decisions.Add({{"action", std::string{action}}}).Increment();
}

void Metrics::observe_install(std::string_view result, Duration took) {
  impl_->install_seconds.Observe(to_seconds(took));
  impl_->installs.Add({{"result", std::string{result}}}).Increment();
}

void Metrics::count_alarm(std::string_view kind) {
  impl_->alarms_raised.Add({{"kind", std::string{kind}}}).Increment();
}

void Metrics::set_alarms(std::string_view kind, std::size_t active) {
  impl_->alarms_active.Add({{"kind", std::string{kind}}}).Set(static_cast<double>(active));
}

void Metrics::set_node_reporting(NodeId node, bool reporting) {
  if (node.index() < impl_->reporting.size()) impl_->reporting[node.index()]->Set(reporting ? 1.0 : 0.0);
}

void Metrics::observe_interval(const MeasuredInterval& measured) {
  Impl& at = *impl_;
  at.intervals.Increment();
  at.demand.Set(measured.matrix.total().bps());
  at.censored.Set(static_cast<double>(measured.censored.size()));
  at.missing.Set(static_cast<double>(measured.missing.size()));
  const std::size_t links = std::min(at.utilization.size(), measured.link_rates.size());
  for (std::size_t l = 0; l < links; ++l) {
    at.utilization[l]->Set(measured.link_rates[l] / at.topology.links()[l].capacity);
    at.link_drops[l]->Increment(static_cast<double>(measured.link_drops[l]));
  }
}

void Metrics::set_bus(const BusCounts& counts) {
  const std::scoped_lock lock{impl_->mutex};
  impl_->bus_received.follow(counts.received);
  impl_->bus_malformed.follow(counts.malformed);
  impl_->bus_other_version.follow(counts.other_version);
  impl_->bus_misattributed.follow(counts.misattributed);
  impl_->bus_disconnects.follow(counts.disconnects);
  impl_->bus_sent.follow(counts.sent);
  impl_->bus_send_drops.follow(counts.send_drops);
}

void Metrics::set_builder(const MatrixBuilderCounts& counts) {
  const std::scoped_lock lock{impl_->mutex};
  impl_->reports_used.follow(counts.used);
  impl_->reports_late.follow(counts.late);
  impl_->reports_duplicate.follow(counts.duplicate);
  impl_->reports_unknown.follow(counts.unknown_node);
  impl_->restarts.follow(counts.restarts);
  impl_->skewed.follow(counts.skewed);
  impl_->unknown_destinations.follow(counts.unknown_destination);
  impl_->incomplete.follow(counts.incomplete);
}

void Metrics::set_history(const HistoryCounts& counts, bool alarmed) {
  const std::scoped_lock lock{impl_->mutex};
  impl_->history_recorded.follow(counts.recorded);
  impl_->history_dropped.follow(counts.dropped);
  impl_->history_failures.follow(counts.failures);
  impl_->history_expired.follow(counts.expired);
  impl_->history_queue.Set(static_cast<double>(counts.queued));
  impl_->history_alarm.Set(alarmed ? 1.0 : 0.0);
}

std::string Metrics::exposition() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (prometheus::MetricFamily& family : families) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  }
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace wan::telemetry
