#include <unistd.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/io/plan_file.h"
#include "core/random.h"
#include "core/shortest_paths.h"
#include "simulator/program/plan_verifier.h"

// A valid plan file is changed at random in one place, and the verifier's verdict is compared with a second, plainer
// recomputation made here from the JSON itself. A lie that passes, or a truth that is refused, fails the test.

namespace wan::simulator {
namespace {

using nlohmann::json;

struct Case {
  Topology topology;
  TrafficMatrix matrix;
  json plan;
};

constexpr std::size_t kNodes = 7;  // the last one is an island

Topology ring_with_chords(Rng& rng) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < kNodes; ++n) nodes.push_back({std::string(1, static_cast<char>('A' + n)), std::nullopt});
  std::vector<Link> links;
  const auto add = [&](std::size_t from, std::size_t to) {
    links.push_back({.name = nodes[from].name + nodes[to].name,
                     .from = NodeId{from},
                     .to = NodeId{to},
                     .capacity = BitRate::mbps(5.0 + 10.0 * rng.uniform()),
                     .srlgs = {}});
  };
  for (const auto& [a, b] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0}, {0, 3}, {1, 4}, {2, 5}}) {
    add(a, b);
    add(b, a);
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

PathPlan random_plan(const Topology& topology, Rng& rng) {
  PathPlanBuilder builder;
  for (std::size_t from = 0; from + 1 < kNodes; ++from) {
    for (std::size_t to = 0; to + 1 < kNodes; ++to) {
      if (from == to) continue;
      builder.begin_demand({TrafficClass{0}, NodeId{from}, NodeId{to}});
      for (std::size_t p = 0; p < 3; ++p) {
        std::vector<double> cost;
        for (std::size_t l = 0; l < topology.link_count(); ++l) cost.push_back(0.2 + rng.uniform());
        builder.add_path(0.1 + rng.uniform(),
                         shortest_path_tree(topology, NodeId{from}, cost).path_to(topology, NodeId{to}));
      }
    }
  }
  return std::move(builder).build();
}

struct Truth {
  bool sound = true;         ///< in itself, whatever it claims
  double utilization = 0.0;  ///< as far as links exist, sound or not
  double lower_bound = 0.0;
  double doubt = 0.0;  ///< how near anything comes to its tolerance, 1 being on it; above 1 it is a lie
};

/// Adds the load of one path of the JSON; false if it is no loop-free chain between the ends.
bool add_path_load(const Case& given, const json& demand, const json& path, double bps, std::vector<double>& load) {
  bool chain = true;
  std::vector<std::size_t> nodes{demand["from"].get<std::size_t>()};
  for (const json& link_index : path["links"]) {
    const auto l = link_index.get<std::size_t>();
    if (l >= load.size()) return false;
    const Link& link = given.topology.links()[l];
    chain = chain && link.from.index() == nodes.back() && link.up;
    nodes.push_back(link.to.index());
    load[l] += bps * path["fraction"].get<double>();
  }
  const bool arrives = nodes.back() == demand["to"].get<std::size_t>();
  std::sort(nodes.begin(), nodes.end());
  return chain && arrives && std::adjacent_find(nodes.begin(), nodes.end()) == nodes.end();
}

double relative_distance(double a, double b) {
  if (a == b) return 0.0;
  return std::abs(a - b) / std::max(std::abs(a), std::abs(b));
}

/// Cheapest costs between all pairs, by Floyd and Warshall.
std::vector<std::vector<double>> all_distances(const Topology& topology, const std::vector<double>& price) {
  std::vector<std::vector<double>> distance(kNodes, std::vector<double>(kNodes, INFINITY));
  for (std::size_t n = 0; n < kNodes; ++n) distance[n][n] = 0.0;
  for (std::size_t l = 0; l < price.size(); ++l) {
    double& direct = distance[topology.links()[l].from.index()][topology.links()[l].to.index()];
    direct = std::min(direct, price[l]);
  }
  for (std::size_t via = 0; via < kNodes; ++via) {
    for (std::size_t a = 0; a < kNodes; ++a) {
      for (std::size_t b = 0; b < kNodes; ++b) {
        distance[a][b] = std::min(distance[a][b], distance[a][via] + distance[via][b]);
      }
    }
  }
  return distance;
}

using PairCounts = std::vector<std::vector<int>>;  // [from][to]

/// Loads by link; counts the demands that are named, and notes what is unsound about them.
std::vector<double> follow_paths(const Case& given, PairCounts& named, Truth& truth) {
  std::vector<double> load(given.topology.link_count(), 0.0);
  std::pair<std::size_t, std::size_t> last{0, 0};
  for (const json& demand : given.plan["demands"]) {
    const std::pair ends{demand["from"].get<std::size_t>(), demand["to"].get<std::size_t>()};
    truth.sound = truth.sound && ends > last && ends.first != ends.second;
    last = ends;
    ++named[ends.first][ends.second];
    const double bps = given.matrix.at(NodeId{ends.first}, NodeId{ends.second}).bps();
    double sum = 0.0;
    std::vector<json> seen;
    for (const json& path : demand["paths"]) {
      const double fraction = path["fraction"].get<double>();
      const bool chain = add_path_load(given, demand, path, bps, load);
      const bool repeated = std::find(seen.begin(), seen.end(), path["links"]) != seen.end();
      truth.sound = truth.sound && chain && !repeated && fraction > 0.0;
      seen.push_back(path["links"]);
      sum += fraction;
    }
    truth.doubt = std::max(truth.doubt, std::abs(sum - 1.0) / 1e-9);
  }
  return load;
}

void check_unrouted(const Case& given, PairCounts& named, Truth& truth) {
  for (const json& demand : given.plan["unrouted"]) {
    const auto from = demand["from"].get<std::size_t>(), to = demand["to"].get<std::size_t>();
    const bool of_the_island = from + 1 == kNodes || to + 1 == kNodes;
    const bool has_traffic = given.matrix.at(NodeId{from}, NodeId{to}).bps() > 0.0;
    truth.sound = truth.sound && of_the_island && has_traffic;
    ++named[from][to];
  }
  for (std::size_t from = 0; from < kNodes; ++from) {
    for (std::size_t to = 0; to < kNodes; ++to) {
      const bool has_traffic = given.matrix.at(NodeId{from}, NodeId{to}).bps() > 0.0;
      truth.sound = truth.sound && named[from][to] <= 1 && (named[from][to] == 1 || !has_traffic);
    }
  }
}

double bound_of(const Case& given, const PairCounts& named, Truth& truth) {
  const auto price = given.plan["certificate"]["duals"].get<std::vector<double>>();
  truth.sound = truth.sound && std::ranges::all_of(price, [](double w) { return w >= 0.0; });
  truth.sound = truth.sound && std::ranges::any_of(price, [](double w) { return w > 0.0; });
  const auto distance = all_distances(given.topology, price);
  double paid = 0.0, worth = 0.0;
  for (std::size_t l = 0; l < price.size(); ++l) worth += price[l] * given.topology.links()[l].capacity.bps();
  for (std::size_t from = 0; from + 1 < kNodes; ++from) {
    for (std::size_t to = 0; to + 1 < kNodes; ++to) {
      const double bps = given.matrix.at(NodeId{from}, NodeId{to}).bps();
      if (named[from][to] > 0) paid += bps * distance[from][to];
    }
  }
  return paid / worth;
}

Truth recompute(const Case& given) {
  Truth truth{.sound = given.plan["topology"] == given.topology.digest()};
  PairCounts named(kNodes, std::vector<int>(kNodes, 0));
  const std::vector<double> load = follow_paths(given, named, truth);
  for (std::size_t l = 0; l < load.size(); ++l) {
    truth.utilization = std::max(truth.utilization, load[l] / given.topology.links()[l].capacity.bps());
  }
  truth.lower_bound = bound_of(given, named, truth);
  check_unrouted(given, named, truth);
  const json& claim = given.plan["certificate"];
  for (const auto& [claimed, found] : {std::pair{claim["utilization"].get<double>(), truth.utilization},
                                       std::pair{claim["lower_bound"].get<double>(), truth.lower_bound}}) {
    truth.doubt = std::max(truth.doubt, relative_distance(claimed, found) / 1e-9);
  }
  return truth;
}

/// What a clever liar does after every change: claims what the numbers now give.
void claim_truth(Case& liar) {
  json& certificate = liar.plan["certificate"];
  const Truth truth = recompute(liar);
  if (std::isfinite(truth.utilization)) certificate["utilization"] = truth.utilization;
  if (std::isfinite(truth.lower_bound)) certificate["lower_bound"] = truth.lower_bound;
}

Case valid_case(std::uint64_t seed) {
  Rng rng{seed, "case"};
  Case made{.topology = ring_with_chords(rng), .matrix = TrafficMatrix{kNodes}, .plan = {}};
  for (std::size_t from = 0; from + 1 < kNodes; ++from) {
    for (std::size_t to = 0; to + 1 < kNodes; ++to) {
      if (from != to) made.matrix.set(NodeId{from}, NodeId{to}, BitRate::mbps(rng.exponential()));
    }
  }
  made.matrix.set(NodeId{2}, NodeId{kNodes - 1}, BitRate::mbps(1.0));
  io::PlanFile plan{.topology_digest = made.topology.digest(),
                    .plan = random_plan(made.topology, rng),
                    .certificate = {},
                    .unrouted = {{TrafficClass{0}, NodeId{2}, NodeId{kNodes - 1}}}};
  for (std::size_t l = 0; l < made.topology.link_count(); ++l) {
    plan.certificate.duals.push_back(rng.uniform() < 0.3 ? 0.0 : rng.uniform());
  }
  const auto file = std::filesystem::temp_directory_path() / ("plan_mutation_" + std::to_string(::getpid()) + ".json");
  REQUIRE(io::write_plan(file, made.topology, plan));
  std::ifstream in{file};
  made.plan = json::parse(in);
  in.close();
  std::filesystem::remove(file);
  claim_truth(made);
  return made;
}

json& any_of(json& array, Rng& rng) { return array[rng.below(array.size())]; }

/// A change from far below the tolerance to far above the value.
double nudged(double value, Rng& rng) {
  switch (rng.below(8)) {
    case 0:
      return 0.0;
    case 1:
      return -value;
    default:
      return value * (1.0 + (rng.uniform() < 0.5 ? -1.0 : 1.0) * std::pow(10.0, -13.0 * rng.uniform()));
  }
}

void mutate_path(json& demand, Rng& rng) {
  json& links = any_of(demand["paths"], rng)["links"];
  switch (rng.below(6)) {
    case 5: {  // there, back and there again: a chain, but not free of loops
      const auto at = rng.below(links.size());
      const auto there = links[at].get<std::size_t>(), back = there ^ 1;
      links.insert(links.begin() + static_cast<std::ptrdiff_t>(at) + 1, {back, there});
      return;
    }
    case 0:
      any_of(links, rng) = rng.below(20);  // two of the twenty do not exist
      return;
    case 1:
      links.erase(rng.below(links.size()));
      return;
    case 2:
      links.push_back(rng.below(18));
      return;
    case 3:
      std::reverse(links.begin(), links.end());
      return;
    default:
      demand["paths"].push_back(any_of(demand["paths"], rng));
  }
}

void mutate_split(json& demand, Rng& rng) {
  json& fraction = any_of(demand["paths"], rng)["fraction"];
  const double before = fraction.get<double>();
  fraction = nudged(before, rng);
  if (rng.uniform() < 0.6) {  // most often keep the sum, so that only the loads can tell
    json& other = any_of(demand["paths"], rng)["fraction"];
    other = other.get<double>() + before - fraction.get<double>();
  }
}

void mutate_lists(json& plan, Rng& rng) {
  switch (rng.below(4)) {
    case 0:
      plan["demands"].erase(rng.below(plan["demands"].size()));
      return;
    case 1:
      plan["unrouted"].clear();
      return;
    case 2:
      plan["unrouted"].push_back({{"class", 0}, {"from", rng.below(kNodes)}, {"to", rng.below(kNodes)}});
      return;
    default: {
      const std::size_t d = rng.below(plan["demands"].size());
      const json& demand = plan["demands"][d];
      plan["unrouted"].push_back({{"class", 0}, {"from", demand["from"]}, {"to", demand["to"]}});
      if (rng.uniform() < 0.7) plan["demands"].erase(d);
    }
  }
}

void mutate_capacity(Case& mutant, Rng& rng) {
  const auto old_links = mutant.topology.links();
  std::vector<Link> links(old_links.begin(), old_links.end());
  Link& link = links[rng.below(links.size())];
  link.capacity = std::max(BitRate::bps(1.0), BitRate::bps(nudged(link.capacity.bps(), rng)));
  const auto nodes = mutant.topology.nodes();
  mutant.topology = Topology::make({nodes.begin(), nodes.end()}, links).value();
  if (rng.uniform() < 0.7) mutant.plan["topology"] = mutant.topology.digest();
}

Case mutated(Case mutant, Rng& rng) {
  json& certificate = mutant.plan["certificate"];
  const std::uint64_t kind = rng.below(8);
  switch (kind) {
    case 0:
      mutate_split(any_of(mutant.plan["demands"], rng), rng);
      break;
    case 1:
      mutate_path(any_of(mutant.plan["demands"], rng), rng);
      break;
    case 2: {
      json& price = any_of(certificate["duals"], rng);
      price = nudged(price.get<double>(), rng);
      break;
    }
    case 3:
      for (json& price : certificate["duals"]) price = price.get<double>() * (rng.uniform() < 0.5 ? 0.0 : 1e-3);
      break;
    case 4:
      mutate_capacity(mutant, rng);
      break;
    case 5: {
      json& claim = certificate[rng.uniform() < 0.5 ? "utilization" : "lower_bound"];
      claim = nudged(claim.get<double>(), rng);
      break;
    }
    case 6:
      mutate_lists(mutant.plan, rng);
      break;
    default:
      mutant.matrix.bps()[rng.below(kNodes * kNodes)] *= nudged(1.0, rng) < 0.0 ? 2.0 : nudged(1.0, rng) + 1e-9;
      for (double& bps : mutant.matrix.bps()) bps = std::max(0.0, bps);
  }
  if (kind != 5 && rng.uniform() < 0.5) claim_truth(mutant);
  return mutant;
}

TEST_CASE("ten thousand changed plans are refused, or are exactly what they claim", "[verifier][property]") {
  constexpr std::size_t kCases = 20, kMutantsOfEach = 500;
  std::size_t accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    const Case original = valid_case(seed);
    const auto parsed = io::parse_plan(original.plan.dump(), "plan", original.topology);
    REQUIRE(parsed);
    REQUIRE(verify_plan(original.topology, original.matrix, *parsed));
    Rng rng{seed, "mutations"};
    for (std::size_t m = 0; m < kMutantsOfEach; ++m) {
      const Case mutant = mutated(original, rng);
      const Truth truth = recompute(mutant);
      const auto plan = io::parse_plan(mutant.plan.dump(), "plan", mutant.topology);
      const auto verdict = plan ? verify_plan(mutant.topology, mutant.matrix, *plan)
                                : Result<Verification>{tl::unexpected{plan.error()}};
      INFO("seed " << seed << ", mutation " << m << ": " << (verdict ? "accepted" : verdict.error().message));
      if (verdict) {
        ++accepted;
        REQUIRE(truth.sound);
        REQUIRE(truth.doubt <= 1.001);
        REQUIRE(verdict->utilization == Approx(truth.utilization).epsilon(1e-12));
        REQUIRE(verdict->lower_bound == Approx(truth.lower_bound).epsilon(1e-12));
        REQUIRE(verdict->lower_bound <= verdict->utilization * (1.0 + 1e-9));
      } else {
        ++refused;
        REQUIRE(verdict.error().message.find('\n') == std::string::npos);
        REQUIRE((!truth.sound || truth.doubt >= 0.999));
      }
    }
  }
  CHECK(refused > 5000);
  CHECK(accepted > 500);
}

}  // namespace
}  // namespace wan::simulator
