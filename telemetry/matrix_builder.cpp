#include "telemetry/matrix_builder.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "telemetry/node_clock.h"

namespace wan::telemetry {
namespace {

using IntervalIndex = std::int64_t;  // whole intervals since 1970

/// How long a node that has fallen silent is waited for, and how long its newest row stands in for it.
constexpr IntervalIndex kRecent = 3;
/// A link or node that loses more than this share of its packets slows senders down.
constexpr double kLossShare = 1e-3;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_lossy(std::uint64_t lost, std::uint64_t packets) {
  return lost > 0 && static_cast<double>(lost) > kLossShare * static_cast<double>(packets);
}

/// Which reports of one life of a node have been seen: the last 64 numbers up to the highest.
class SeenReports {
 public:
  /// Whether this one is new; what is older than the window counts as seen.
  bool add(std::uint64_t sequence) {
    if (!any_ || sequence > highest_) {
      const std::uint64_t step = any_ ? sequence - highest_ : kWindow;
      bits_ = step >= kWindow ? 1 : (bits_ << step) | 1;
      highest_ = sequence;
      any_ = true;
      return true;
    }
    const std::uint64_t back = highest_ - sequence;
    if (back >= kWindow || ((bits_ >> back) & 1U) != 0) return false;
    bits_ |= std::uint64_t{1} << back;
    return true;
  }

 private:
  static constexpr std::uint64_t kWindow = 64;
  bool any_ = false;
  std::uint64_t highest_ = 0;
  std::uint64_t bits_ = 0;
};

/// One life of a node, from boot to crash.
struct Life {
  std::uint64_t boot_id = 0;
  SeenReports seen;
  NodeClock clock;
  struct Filed {
    std::uint64_t sequence;
    IntervalIndex interval;
  };
  std::optional<Filed> filed_by_arrival;  // the last report, while the clock is corrected
};

/// Counts of one demand from a node.
struct Entry {
  std::size_t column = 0;  // class and destination
  std::uint64_t bytes = 0, packets = 0, dropped = 0;
};

struct PortSum {
  std::string name;
  std::uint64_t sent_bytes = 0, sent_packets = 0, send_drops = 0;
  std::uint64_t received_bytes = 0, received_packets = 0, receive_errors = 0;
};

/// What one node reported of one interval, in one part or, across a restart, in several.
struct Row {
  std::int64_t covered_ns = 0;
  std::vector<Entry> entries;
  std::vector<PortSum> ports;

  void add(const PortCount& count) {
    auto sum = std::find_if(ports.begin(), ports.end(), [&](const PortSum& port) { return port.name == count.name; });
    if (sum == ports.end()) {
      ports.push_back({.name = count.name});
      sum = std::prev(ports.end());
    }
    sum->sent_bytes += count.sent_bytes;
    sum->sent_packets += count.sent_packets;
    sum->send_drops += count.send_drops;
    sum->received_bytes += count.received_bytes;
    sum->received_packets += count.received_packets;
    sum->receive_errors += count.receive_errors;
  }
  [[nodiscard]] const PortSum* port(std::string_view name) const {
    const auto found = std::find_if(ports.begin(), ports.end(), [&](const PortSum& port) { return port.name == name; });
    return found == ports.end() ? nullptr : &*found;
  }
};

/// What is known of one node across intervals.
struct NodeState {
  bool managed = false;
  std::vector<Life> lives;  // newest last
  std::optional<IntervalIndex> newest_report;
  IntervalIndex rates_of = 0;  // the interval that `rates` are of
  std::vector<double> rates;   // bit/s by column; empty: none yet
};

}  // namespace

struct MatrixBuilder::Impl {
  Impl(const Topology& network, const std::vector<bool>& managed, std::vector<LinkPort> ports,
       const MatrixBuilderOptions& given)
      : topology{network}, link_ports{std::move(ports)}, options{given}, interval_ns{given.interval.count()} {
    for (std::size_t n = 0; n < topology.node_count(); ++n) {
      names.emplace(topology.nodes()[n].name, n);
      nodes.emplace_back().managed = n < managed.size() && managed[n];
    }
    link_ports.resize(topology.link_count());
    for (const LinkPort& ends : link_ports) link_nodes.emplace_back(index_of(ends.node), index_of(ends.far_node));
  }

  // Fixed after construction.
  Topology topology;
  std::vector<LinkPort> link_ports;
  MatrixBuilderOptions options;
  std::int64_t interval_ns;
  std::map<std::string, std::size_t, std::less<>> names;
  std::vector<std::pair<std::optional<std::size_t>, std::optional<std::size_t>>> link_nodes;  // near and far end

  std::vector<NodeState> nodes;
  using Rows = std::vector<std::optional<Row>>;  // by node
  std::map<IntervalIndex, Rows> open;
  std::optional<IntervalIndex> first;  // what the first report could still be about
  IntervalIndex next = 0;              // anything before has been handed out, or is too old to be
  MatrixBuilderCounts counts;

  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view name) const {
    const auto found = names.find(name);
    return found == names.end() ? std::nullopt : std::optional{found->second};
  }
  [[nodiscard]] std::int64_t end_of(IntervalIndex interval) const { return (interval + 1) * interval_ns; }
  [[nodiscard]] std::int64_t deadline_of(IntervalIndex interval) const {
    return end_of(interval) + options.grace.count();
  }

  /// The life that a report is from; a new one is a restart.
  Life& life_of(NodeState& node, std::uint64_t boot_id) {
    constexpr std::size_t kLivesMax = 4;  // stragglers of earlier lives are still told from new ones
    const auto known =
        std::find_if(node.lives.begin(), node.lives.end(), [&](const Life& life) { return life.boot_id == boot_id; });
    if (known != node.lives.end()) return *known;
    if (!node.lives.empty()) ++counts.restarts;
    if (node.lives.size() == kLivesMax) node.lives.erase(node.lives.begin());
    const NodeClock clock{options.interval, options.skew_max, std::min(options.skew_max, options.grace)};
    node.lives.push_back({.boot_id = boot_id, .seen = {}, .clock = clock, .filed_by_arrival = {}});
    return node.lives.back();
  }

  /// The interval of a node whose clock is wrong: by its corrected end, and one after the other while that fits.
  [[nodiscard]] IntervalIndex filed_by_arrival(Life& life, std::uint64_t sequence, std::int64_t end_ns) const {
    const std::int64_t grace_ns = options.grace.count();
    const std::int64_t late_max = std::min(interval_ns, grace_ns) / 2;  // what ends later counts for the next interval
    IntervalIndex interval = floor_divide(end_ns - late_max, interval_ns);
    if (const auto& last = life.filed_by_arrival; last && sequence > last->sequence) {
      const IntervalIndex in_turn = last->interval + static_cast<IntervalIndex>(sequence - last->sequence);
      const std::int64_t slack = std::min(interval_ns, grace_ns) / 4;
      const std::int64_t after_end = end_ns - end_of(in_turn);
      if (after_end <= late_max + slack && after_end > late_max - slack - interval_ns) interval = in_turn;
    }
    life.filed_by_arrival = Life::Filed{.sequence = sequence, .interval = interval};
    return interval;
  }

  /// The interval that a report is about.
  IntervalIndex file(Life& life, const IntervalReport& report, std::int64_t now_ns) {
    life.clock.observe(report.sequence, report.end_ns, now_ns);
    if (const auto correction = life.clock.correction()) {
      const Duration distance = *correction < Duration{0} ? -*correction : *correction;
      if (distance > options.skew_max) ++counts.skewed;
      return filed_by_arrival(life, report.sequence, report.end_ns + correction->count());
    }
    life.filed_by_arrival.reset();
    // The middle; of a report over several intervals (its node stalled), the last one: the others have gone by.
    return floor_divide(report.end_ns - std::min(report.end_ns - report.begin_ns, interval_ns) / 2, interval_ns);
  }

  void add_part(Row& row, std::size_t from, const IntervalReport& report) {
    row.covered_ns += report.end_ns - report.begin_ns;
    for (const DemandCount& demand : report.demands) {
      const auto to = index_of(demand.destination);
      if (!to || *to == from || demand.cls.index() >= options.class_count) {
        ++counts.unknown_destination;
        continue;
      }
      row.entries.push_back({.column = demand.cls.index() * nodes.size() + *to,
                             .bytes = demand.bytes,
                             .packets = demand.packets,
                             .dropped = demand.dropped_packets});
    }
    for (const PortCount& port : report.ports) row.add(port);
  }

  [[nodiscard]] bool is_expected(const NodeState& node, IntervalIndex interval) const {
    if (!node.managed) return false;
    if (interval < *first + kRecent) return true;  // who has not had the time to report may yet
    return node.newest_report && *node.newest_report >= interval - kRecent;
  }
  [[nodiscard]] bool is_complete(IntervalIndex interval, const Rows& rows) const {
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      // A part alone may have another, of the life before or after, that is still on its way.
      if (is_expected(nodes[n], interval) && !(rows[n] && rows[n]->covered_ns >= interval_ns)) return false;
    }
    return true;
  }
  /// A row that covers enough to stand for the whole interval.
  [[nodiscard]] const Row* usable(const Rows& rows, std::optional<std::size_t> node) const {
    if (!node || !rows[*node] || rows[*node]->covered_ns < interval_ns / 2) return nullptr;
    return &*rows[*node];
  }

  /// One source's part of the matrix.
  struct SourceCounts {
    std::vector<std::uint64_t> bytes, packets, dropped;  // by column
  };
  [[nodiscard]] SourceCounts summed(const Row& row) const {
    const std::size_t columns = options.class_count * nodes.size();
    SourceCounts sums{std::vector<std::uint64_t>(columns), std::vector<std::uint64_t>(columns),
                      std::vector<std::uint64_t>(columns)};
    for (const Entry& entry : row.entries) {
      sums.bytes[entry.column] += entry.bytes;
      sums.packets[entry.column] += entry.packets;
      sums.dropped[entry.column] += entry.dropped;
    }
    return sums;
  }

  [[nodiscard]] BitRate rate(std::uint64_t bytes, const Row& row) const {
    return ByteCount::bytes(bytes) / Duration{row.covered_ns};
  }

  /// Rates, drops and which links lost packets.
  [[nodiscard]] std::vector<bool> measure_links(const Rows& rows, MeasuredInterval& measured) const {
    const std::size_t count = topology.link_count();
    measured.link_rates.resize(count);
    measured.link_drops.resize(count);
    measured.link_known.resize(count);
    std::vector<bool> lossy(count);
    for (std::size_t l = 0; l < count; ++l) {
      const Row* near_row = usable(rows, link_nodes[l].first);
      const Row* far_row = usable(rows, link_nodes[l].second);
      const PortSum* near_end = near_row == nullptr ? nullptr : near_row->port(link_ports[l].port);
      const PortSum* far_end = far_row == nullptr ? nullptr : far_row->port(link_ports[l].far_port);
      std::uint64_t packets = 0;
      if (near_end != nullptr) {
        measured.link_rates[l] = rate(near_end->sent_bytes, *near_row);
        measured.link_drops[l] += near_end->send_drops;
        packets = near_end->sent_packets;
      } else if (far_end != nullptr) {
        measured.link_rates[l] = rate(far_end->received_bytes, *far_row);
        packets = far_end->received_packets;
      }
      if (far_end != nullptr) measured.link_drops[l] += far_end->receive_errors;
      measured.link_known[l] = near_end != nullptr || far_end != nullptr;
      lossy[l] = is_lossy(measured.link_drops[l], packets + measured.link_drops[l]);
    }
    return lossy;
  }

  [[nodiscard]] MeasuredInterval measure(IntervalIndex interval, const Rows& rows, const PathPlan& plan) {
    MeasuredInterval measured;
    measured.matrix = TrafficMatrix{nodes.size(), options.class_count};
    measured.begin_ns = interval * interval_ns;
    measured.matrix.set_measured_at(
        Timestamp{std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds{measured.begin_ns})});
    const std::vector<bool> lossy_links = measure_links(rows, measured);
    for (std::size_t from = 0; from < nodes.size(); ++from) {
      if (!nodes[from].managed) continue;
      if (const Row* row = usable(rows, from)) {
        fill_row(interval, from, *row, measured);
      } else {
        measured.missing.push_back(topology.nodes()[from].name);
      }
      if (!nodes[from].rates.empty() && nodes[from].rates_of >= interval - kRecent) copy_row(from, measured.matrix);
    }
    add_demands_over(lossy_links, plan, measured);
    std::sort(measured.censored.begin(), measured.censored.end());
    measured.censored.erase(std::unique(measured.censored.begin(), measured.censored.end()), measured.censored.end());
    if (!measured.missing.empty()) ++counts.incomplete;
    return measured;
  }

  /// A source's rates from its counts, and its demands that lost packets in the source itself.
  void fill_row(IntervalIndex interval, std::size_t from, const Row& row, MeasuredInterval& measured) {
    const SourceCounts sums = summed(row);
    NodeState& node = nodes[from];
    node.rates_of = interval;
    node.rates.assign(sums.bytes.size(), 0.0);
    for (std::size_t column = 0; column < sums.bytes.size(); ++column) {
      node.rates[column] = rate(sums.bytes[column], row).bps();
      if (is_lossy(sums.dropped[column], sums.packets[column])) {
        measured.censored.push_back(
            {.cls = TrafficClass{column / nodes.size()}, .from = NodeId{from}, .to = NodeId{column % nodes.size()}});
      }
    }
  }

  void copy_row(std::size_t from, TrafficMatrix& matrix) const {
    const std::vector<double>& rates = nodes[from].rates;
    for (std::size_t column = 0; column < rates.size(); ++column) {
      matrix.set(TrafficClass{column / nodes.size()}, NodeId{from}, NodeId{column % nodes.size()},
                 BitRate::bps(rates[column]));
    }
  }

  /// Demands with traffic, one of whose paths lost packets.
  void add_demands_over(const std::vector<bool>& lossy_links, const PathPlan& plan, MeasuredInterval& measured) const {
    if (std::find(lossy_links.begin(), lossy_links.end(), true) == lossy_links.end()) return;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      const Demand& demand = plan.demands()[d];
      const bool ours = demand.cls.index() < options.class_count && demand.from.index() < nodes.size() &&
                        demand.to.index() < nodes.size();
      if (!ours || measured.matrix.at(demand.cls, demand.from, demand.to) <= BitRate{}) continue;
      for (std::size_t p = 0; p < plan.path_count(d); ++p) {
        const auto links = plan.path(d, p).links;
        if (std::any_of(links.begin(), links.end(),
                        [&](LinkId link) { return link.index() < lossy_links.size() && lossy_links[link.index()]; })) {
          measured.censored.push_back(demand);
          break;
        }
      }
    }
  }
};

MatrixBuilder::MatrixBuilder(const Topology& topology, std::vector<bool> managed, std::vector<LinkPort> link_ports,
                             const MatrixBuilderOptions& options)
    : impl_{std::make_unique<Impl>(topology, managed, std::move(link_ports), options)} {}
MatrixBuilder::~MatrixBuilder() = default;
MatrixBuilder::MatrixBuilder(MatrixBuilder&&) noexcept = default;
MatrixBuilder& MatrixBuilder::operator=(MatrixBuilder&&) noexcept = default;

void MatrixBuilder::add(const IntervalReport& report, std::int64_t now_ns) {
  Impl& at = *impl_;
  const auto from = at.index_of(report.node.name);
  if (!from || !at.nodes[*from].managed) {
    ++at.counts.unknown_node;
    return;
  }
  NodeState& node = at.nodes[*from];
  Life& life = at.life_of(node, report.node.boot_id);
  if (!life.seen.add(report.sequence)) {
    ++at.counts.duplicate;
    return;
  }
  if (!at.first) {
    at.first = floor_divide(now_ns - at.options.grace.count(), at.interval_ns);
    at.next = *at.first;
  }
  const IntervalIndex interval = at.file(life, report, now_ns);
  node.newest_report = std::max(node.newest_report.value_or(interval), interval);
  if (interval < at.next) {
    ++at.counts.late;
    return;
  }
  auto& rows = at.open.try_emplace(interval, at.nodes.size()).first->second;
  if (!rows[*from]) rows[*from].emplace();
  at.add_part(*rows[*from], *from, report);
  ++at.counts.used;
}

std::optional<MeasuredInterval> MatrixBuilder::take(std::int64_t now_ns, const PathPlan& plan) {
  Impl& at = *impl_;
  if (at.open.empty()) return std::nullopt;
  const auto oldest = at.open.begin();
  if (now_ns < at.deadline_of(oldest->first) && !at.is_complete(oldest->first, oldest->second)) return std::nullopt;
  MeasuredInterval measured = at.measure(oldest->first, oldest->second, plan);
  at.next = oldest->first + 1;
  at.open.erase(oldest);
  return measured;
}

std::optional<std::int64_t> MatrixBuilder::next_deadline_ns() const {
  if (impl_->open.empty()) return std::nullopt;
  return impl_->deadline_of(impl_->open.begin()->first);
}

const MatrixBuilderCounts& MatrixBuilder::counts() const { return impl_->counts; }

}  // namespace wan::telemetry
