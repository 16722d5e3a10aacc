#include "simulator/workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/random.h"
#include "core/shortest_paths.h"

namespace wan::simulator {
namespace {

using std::chrono::seconds;

struct City {
  const char* name;
  double latitude, longitude;
};

constexpr std::array<City, 12> kCities{{{"Amsterdam", 52.37, 4.90},
                                        {"Athens", 37.98, 23.73},
                                        {"Bucharest", 44.43, 26.10},
                                        {"Frankfurt", 50.11, 8.68},
                                        {"Lisbon", 38.72, -9.14},
                                        {"London", 51.51, -0.13},
                                        {"Madrid", 40.42, -3.70},
                                        {"Milan", 45.46, 9.19},
                                        {"Paris", 48.86, 2.35},
                                        {"Stockholm", 59.33, 18.07},
                                        {"Vienna", 48.21, 16.37},
                                        {"Warsaw", 52.23, 21.01}}};

struct Cable {
  const char* from;
  const char* to;
  double gbps;
  int srlg;  // -1: shares its risk with nothing
};

constexpr int kAlps = 0, kChannel = 1, kPyrenees = 2, kBratislava = 3;
constexpr std::array<Cable, 20> kCables{{{"London", "Amsterdam", 100, kChannel},
                                         {"London", "Paris", 100, kChannel},
                                         {"London", "Lisbon", 40, -1},
                                         {"Amsterdam", "Frankfurt", 100, -1},
                                         {"Amsterdam", "Stockholm", 40, -1},
                                         {"Amsterdam", "Paris", 40, -1},
                                         {"Paris", "Frankfurt", 100, -1},
                                         {"Paris", "Madrid", 40, kPyrenees},
                                         {"Madrid", "Lisbon", 40, -1},
                                         {"Madrid", "Milan", 40, kPyrenees},
                                         {"Paris", "Milan", 40, kAlps},
                                         {"Frankfurt", "Milan", 100, kAlps},
                                         {"Frankfurt", "Vienna", 40, -1},
                                         {"Frankfurt", "Warsaw", 40, -1},
                                         {"Stockholm", "Warsaw", 40, -1},
                                         {"Milan", "Vienna", 40, -1},
                                         {"Milan", "Athens", 40, -1},
                                         {"Vienna", "Warsaw", 10, kBratislava},
                                         {"Vienna", "Bucharest", 40, kBratislava},
                                         {"Bucharest", "Athens", 10, -1}}};

double great_circle_km(const GeoPoint& a, const GeoPoint& b) {
  constexpr double kEarthRadiusKm = 6371.0, kRadians = std::numbers::pi / 180.0;
  const double half_lat = (b.latitude - a.latitude) * kRadians / 2,
               half_lon = (b.longitude - a.longitude) * kRadians / 2;
  const double chord = std::pow(std::sin(half_lat), 2) + std::cos(a.latitude * kRadians) *
                                                             std::cos(b.latitude * kRadians) *
                                                             std::pow(std::sin(half_lon), 2);
  return 2.0 * kEarthRadiusKm * std::asin(std::sqrt(chord));
}

Link cable_direction(const std::vector<Node>& nodes, const Cable& cable, bool reverse) {
  const auto find = [&](std::string_view name) {
    const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
    return NodeId{static_cast<std::size_t>(at - nodes.begin())};
  };
  const NodeId from = find(reverse ? cable.to : cable.from), to = find(reverse ? cable.from : cable.to);
  constexpr double kNsPerKm = 4900.0;
  const double km = great_circle_km(*nodes[from.index()].location, *nodes[to.index()].location);
  Link link{.name = nodes[from.index()].name + "-" + nodes[to.index()].name,
            .from = from,
            .to = to,
            .capacity = BitRate::gbps(cable.gbps),
            .delay = Duration{std::llround(km * kNsPerKm)},
            .weight = 1000.0 / cable.gbps,
            .srlgs = {}};
  if (cable.srlg >= 0) link.srlgs.push_back(SrlgId{static_cast<std::size_t>(cable.srlg)});
  return link;
}

/// A bump on the clock, 1 at `peak` hours; larger `sharpness` is narrower.
double bump(double hour, double peak, double sharpness) {
  return std::exp(sharpness * (std::cos(2.0 * std::numbers::pi * (hour - peak) / 24.0) - 1.0));
}

/// How one node's users spend their day; the shares of home, office and copies sum to 1.
struct Habit {
  double office = 0.0, copies = 0.0;
  seconds solar_offset{0};

  /// About 1 at the busiest time of each use.
  [[nodiscard]] double at(Timestamp utc) const {
    const Timestamp local = utc + solar_offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const double hour = static_cast<double>((local - day).count()) / 3600.0;
    const unsigned weekday = std::chrono::weekday{day}.iso_encoding();
    const double home_use = 0.24 + 0.18 * bump(hour, 12.5, 2.0) + 0.72 * bump(hour, 20.5, 3.0);
    const double office_use = (0.12 + 0.88 * bump(hour, 14.0, 3.0)) * (weekday >= 6 ? 0.4 : 1.0);
    const double copies_use = 0.35 + 0.65 * bump(hour, 3.0, 4.0);
    return (1.0 - office - copies) * home_use + office * office_use + copies * copies_use;
  }
};

/// What stays the same about a pair.
struct Pair {
  NodeId from, to;
  double gravity = 0.0;  // relative to the other pairs
  seconds shift{0};
  double noise = 0.0;  // standard deviation of its log
};

struct Population {
  std::vector<Habit> habits;  // by node
  std::vector<Pair> pairs;    // in the order of (from, to)
  double mean_gravity = 0.0;

  /// Up to the level.
  [[nodiscard]] double expected(const Pair& pair, Timestamp time) const {
    const Timestamp shifted = time + pair.shift;
    return pair.gravity * (0.3 * habits[pair.from.index()].at(shifted) + 0.7 * habits[pair.to.index()].at(shifted));
  }
};

std::vector<double> meeting_capacity_bps(const Topology& topology) {
  std::vector<double> capacity(topology.node_count(), 0.0);
  for (const Link& link : topology.links()) capacity[link.from.index()] += link.capacity.bps();
  return capacity;
}

Population populate(const Topology& topology, const GeneratorOptions& options) {
  Rng rng{options.seed, "population"};
  const std::size_t n = topology.node_count();
  const std::vector<double> capacity_bps = meeting_capacity_bps(topology);
  Population population;
  std::vector<double> sends, receives;
  for (std::size_t i = 0; i < n; ++i) {
    const double size = std::pow(capacity_bps[i], 0.6);
    sends.push_back(size * std::exp(0.3 * rng.normal()));
    receives.push_back(size * std::exp(0.3 * rng.normal()));
    const auto& location = topology.nodes()[i].location;
    const double solar_hours = location ? location->longitude / 15.0 : 0.0;
    population.habits.push_back({.office = 0.2 + 0.3 * rng.uniform(),
                                 .copies = 0.05 + 0.1 * rng.uniform(),
                                 .solar_offset = seconds{std::llround(3600.0 * solar_hours)}});
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double gravity = sends[i] * receives[j] * std::exp(0.45 * rng.normal());
      const seconds shift{std::llround(2700.0 * (2.0 * rng.uniform() - 1.0))};
      population.pairs.push_back({.from = NodeId{i}, .to = NodeId{j}, .gravity = gravity, .shift = shift});
      sum += gravity;
    }
  }
  population.mean_gravity = sum / static_cast<double>(population.pairs.size());
  for (Pair& pair : population.pairs) {
    // Few users make a noisier pair: the deviation falls slowly with size, within bounds.
    pair.noise = options.pair_noise * std::clamp(std::pow(population.mean_gravity / pair.gravity, 0.2), 0.6, 1.6);
  }
  return population;
}

/// A first-order autoregression around zero of deviation 1, stepped once an interval.
class Autoregression {
 public:
  Autoregression(std::size_t count, seconds interval, seconds memory, Rng rng)
      : keep_{memory.count() > 0
                  ? std::exp(-static_cast<double>(interval.count()) / static_cast<double>(memory.count()))
                  : 0.0},
        rng_{std::move(rng)} {
    for (std::size_t i = 0; i < count; ++i) values_.push_back(rng_.normal());
  }

  void step() {
    const double fresh = std::sqrt(1.0 - keep_ * keep_);
    for (double& value : values_) value = keep_ * value + fresh * rng_.normal();
  }

  /// A factor of mean 1 whose log deviates by `deviation`.
  [[nodiscard]] double factor(std::size_t which, double deviation) const {
    return std::exp(deviation * values_[which] - deviation * deviation / 2.0);
  }

 private:
  double keep_;
  Rng rng_;
  std::vector<double> values_;
};

/// A surge of one pair, or of all pairs that one node sends.
struct Burst {
  std::size_t first_pair = 0, pair_count = 1;
  double start_s = 0.0, ramp_s = 0.0, hold_s = 0.0, decay_s = 0.0;  // start after the series' own
  double gain = 0.0;                                                // extra, as a multiple of the rate

  [[nodiscard]] double extra(double time_s) const {
    const double age = time_s - start_s;
    if (age <= 0.0) return 0.0;
    if (age < ramp_s) return gain * age / ramp_s;
    const double tail = age - ramp_s - hold_s;
    return tail <= 0.0 ? gain : gain * std::exp(-tail / decay_s);
  }
  [[nodiscard]] bool over(double time_s) const { return time_s > start_s + ramp_s + hold_s + 8.0 * decay_s; }
};

/// Calls `draw` with the start of each of a Poisson process' events within a time.
template <typename Draw>
void draw_arrivals(double length_s, double per_day, Rng& rng, Draw draw) {
  if (per_day <= 0.0) return;
  for (double time_s = rng.exponential() * 86400.0 / per_day; time_s < length_s;
       time_s += rng.exponential() * 86400.0 / per_day) {
    draw(time_s);
  }
}

Burst draw_course(double start_s, Rng& rng) {
  Burst burst{.start_s = start_s};
  burst.ramp_s = 300.0 + 900.0 * rng.uniform();
  burst.hold_s = 600.0 + 3000.0 * rng.uniform();
  burst.decay_s = 600.0 + 1800.0 * rng.uniform();
  return burst;
}

std::vector<Burst> draw_bursts(const Population& population, const GeneratorOptions& options, double length_s) {
  Rng rng{options.seed, "bursts"};
  std::vector<Burst> bursts;
  draw_arrivals(length_s, options.bursts_per_day, rng, [&](double start_s) {
    Burst burst = draw_course(start_s, rng);
    burst.first_pair = rng.below(population.pairs.size());
    // What surges is one source of many: the larger the pair, the less it stands out.
    const double size = population.pairs[burst.first_pair].gravity / population.mean_gravity;
    burst.gain = std::exp(std::log(4.0) * rng.uniform()) * std::min(1.0, 1.0 / std::sqrt(size));
    bursts.push_back(burst);
  });
  return bursts;
}

std::vector<Burst> draw_flash_crowds(std::size_t node_count, const GeneratorOptions& options, double length_s) {
  Rng rng{options.seed, "flash crowds"};
  std::vector<Burst> crowds;
  draw_arrivals(length_s, options.flash_crowds_per_day, rng, [&](double start_s) {
    Burst crowd = draw_course(start_s, rng);
    crowd.pair_count = node_count - 1;
    crowd.first_pair = rng.below(node_count) * crowd.pair_count;
    crowd.gain = 0.2 + 0.5 * rng.uniform();
    crowds.push_back(crowd);
  });
  return crowds;
}

/// Factor by pair: 1 + what the bursts under way add.
std::vector<double> burst_factors(std::span<const Burst> bursts, std::size_t pair_count, double time_s) {
  std::vector<double> factors(pair_count, 1.0);
  for (const Burst& burst : bursts) {
    if (burst.start_s > time_s) break;
    if (burst.over(time_s)) continue;
    for (std::size_t p = 0; p < burst.pair_count; ++p) factors[burst.first_pair + p] += burst.extra(time_s);
  }
  return factors;
}

TrafficMatrix expected_matrix(const Population& population, std::size_t node_count, Timestamp time) {
  TrafficMatrix matrix{node_count};
  for (const Pair& pair : population.pairs) {
    matrix.set(pair.from, pair.to, BitRate::bps(population.expected(pair, time)));
  }
  return matrix;
}

/// What the relative rates are to be multiplied by, with every link in service.
Result<double> level_bps(const Topology& topology, const Population& population, double busy_hour_utilization) {
  const Topology whole = topology.with_links_down({});
  const auto plan = igp_plan(whole, weight_costs(whole));
  if (!plan) return tl::unexpected{plan.error()};
  constexpr Timestamp kWednesday{std::chrono::sys_days{std::chrono::year{2026} / 3 / 4}};
  double busiest = 0.0;
  for (int half_hours = 0; half_hours < 48; ++half_hours) {
    const Timestamp time = kWednesday + std::chrono::minutes{30 * half_hours};
    busiest = std::max(busiest, max_utilization(whole, *plan, expected_matrix(population, whole.node_count(), time)));
  }
  if (busiest <= 0.0) return fail(ErrorCode::kBadInput, "traffic cannot be generated: no two nodes are connected");
  return busy_hour_utilization / busiest;
}

Result<void> check(const GeneratorOptions& options) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::kBadInput, "traffic generator: " + std::move(message));
  };
  if (options.days.count() < 1 || options.days.count() > 3660) return bad("days must be from 1 to 3660");
  if (options.interval < seconds{1} || seconds{std::chrono::days{1}} % options.interval != seconds{0}) {
    return bad("a day must be a whole number of intervals");
  }
  const auto sound = [](double value, double highest) { return value >= 0.0 && value <= highest; };  // refuses NaN
  if (!sound(options.igp_utilization_busy_hour, 1e6)) return bad("the busy-hour utilization must be from 0 to 1e6");
  if (!sound(options.pair_noise, 3.0) || !sound(options.node_noise, 3.0)) return bad("a deviation must be from 0 to 3");
  if (!sound(options.bursts_per_day, 1e4) || !sound(options.flash_crowds_per_day, 1e4)) {
    return bad("bursts per day must be from 0 to 10000");
  }
  if (options.pair_memory < seconds{0} || options.node_memory < seconds{0}) return bad("a memory must not be negative");
  return {};
}

}  // namespace

Topology builtin_backbone() {
  std::vector<Node> nodes;
  for (const City& city : kCities) nodes.push_back({city.name, GeoPoint{city.latitude, city.longitude}});
  std::vector<Link> links;
  for (const Cable& cable : kCables) {
    for (const bool reverse : {false, true}) links.push_back(cable_direction(nodes, cable, reverse));
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

Result<TrafficSeries> generate_traffic(const Topology& topology, const GeneratorOptions& options) {
  if (const auto sound = check(options); !sound) return tl::unexpected{sound.error()};
  if (topology.node_count() < 2) return fail(ErrorCode::kBadInput, "traffic generator: one node sends to nobody");
  const Population population = populate(topology, options);
  const auto level = level_bps(topology, population, options.igp_utilization_busy_hour);
  if (!level) return tl::unexpected{level.error()};

  const std::size_t n = topology.node_count(), pair_count = population.pairs.size();
  const seconds length = options.days;
  const auto length_s = static_cast<double>(length.count());
  Autoregression pair_noise{pair_count, options.interval, options.pair_memory, Rng{options.seed, "pair noise"}};
  Autoregression node_noise{n, options.interval, options.node_memory, Rng{options.seed, "node noise"}};
  const std::vector<Burst> bursts = draw_bursts(population, options, length_s);
  const std::vector<Burst> crowds = draw_flash_crowds(n, options, length_s);

  TrafficSeries series;
  for (seconds at{0}; at < length; at += options.interval) {
    const Timestamp middle = options.start + at + options.interval / 2;
    const double middle_s = static_cast<double>((at + options.interval / 2).count());
    const std::vector<double> burst = burst_factors(bursts, pair_count, middle_s);
    const std::vector<double> crowd = burst_factors(crowds, pair_count, middle_s);
    TrafficMatrix matrix{n};
    matrix.set_measured_at(options.start + at);
    for (std::size_t p = 0; p < pair_count; ++p) {
      const Pair& pair = population.pairs[p];
      const double rate_bps = *level * population.expected(pair, middle) * pair_noise.factor(p, pair.noise) *
                              node_noise.factor(pair.from.index(), options.node_noise) *
                              node_noise.factor(pair.to.index(), options.node_noise) * burst[p] * crowd[p];
      matrix.set(pair.from, pair.to, BitRate::bps(rate_bps));
    }
    series.intervals.push_back(std::move(matrix));
    pair_noise.step();
    node_noise.step();
  }
  return series;
}

TrafficMatrix gravity_demands(const Topology& topology, std::uint64_t seed) {
  Rng rng{seed, "gravity"};
  std::vector<double> sends_bps, receives_bps;
  double all_receive_bps = 0.0;
  for (const double capacity_bps : meeting_capacity_bps(topology)) {
    sends_bps.push_back(capacity_bps * rng.exponential());
    receives_bps.push_back(capacity_bps * rng.exponential());
    all_receive_bps += receives_bps.back();
  }
  TrafficMatrix matrix{topology.node_count()};
  for (std::size_t i = 0; i < topology.node_count(); ++i) {
    const double others_receive_bps = all_receive_bps - receives_bps[i];
    if (others_receive_bps <= 0.0) continue;
    for (std::size_t j = 0; j < topology.node_count(); ++j) {
      if (i == j) continue;
      matrix.set(NodeId{i}, NodeId{j}, BitRate::bps(sends_bps[i] * receives_bps[j] / others_receive_bps));
    }
  }
  return matrix;
}

}  // namespace wan::simulator
