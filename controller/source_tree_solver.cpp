#include "controller/source_tree_solver.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "controller/link_prices.h"
#include "controller/tree_master.h"
#include "controller/tree_search.h"
#include "controller/worker_team.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kThreadsWorthNodes = 40;
constexpr std::size_t kMasterSizeMax = 250'000;  // sources x links up to which the master problem pays
constexpr std::size_t kBlock = 8;                // sources whose trees are found under the same prices
constexpr double kDelayTieBreak = 1e-3;          // weight of delay while the utilisation is being minimised
constexpr int kSweepsBeforeMaster = 24;
constexpr int kMasterRoundsMax = 400;
constexpr double kBlendFirst = 0.5;       // weight of the best bound's prices in the prices of new trees
constexpr double kFirstSharpness = 60.0;  // eta of the soft maximum, in units of 1 / utilisation
constexpr double kGapBeforeShortening = 0.5;
constexpr double kSlackMax = 0.01;   // of the utilisation, that shorter paths may cost
constexpr double kSlackUsed = 0.85;  // of the slack; the penalties let a little more through
constexpr double kBarrierSharpness = 1000.0;
constexpr double kBarrierWeight = 1.0;
constexpr int kShorteningSweeps = 24;
constexpr int kPatientSweeps = 100;
constexpr std::size_t kPatientSizeMax = 12'000;  // sources x links up to which delay is minimised patiently
constexpr double kShorteningWorthwhile = 3e-4;   // a sweep that saves a smaller part of the delay is the last
constexpr double kShareDropped = 1e-7;           // a tree with less traffic than this is forgotten

/// A shortest-path tree and what the source's demand puts on its links.
struct Tree {
  std::vector<std::uint32_t> parent_link;  // by node
  std::vector<double> load;                // by node: bits per second on the link that enters it
  double delay_cost = 0.0;                 // demand x delay, seconds x bits per second
};

struct Source {
  NodeId node;
  std::vector<double> demand;  // by destination, bits per second; unreachable ones are zero
  std::vector<Tree> trees;
  std::vector<double> share;  // by tree
  std::vector<double> load;   // by link: bits per second, sum of share x tree load
};

class Solver {
 public:
  Solver(const Topology& topology, const TrafficMatrix& demand, const SourceTreeOptions& options);
  SourceTreeSolution run();

 private:
  /// Frank-Wolfe sweeps until the gap is reached, or until they stop paying: then the master problem finishes.
  void minimize_utilization(double gap_wanted);
  void sweep_to(double gap_wanted, int sweeps_max);
  void solve_master_to(double gap_wanted);
  void add_columns(TreeMaster& master, std::size_t source, std::size_t first_tree, double unit) const;
  void shorten_paths();
  /// Re-routes every source once; the prices come from `price_links`.
  template <typename PriceLinks, typename StepSize>
  void sweep(const PriceLinks& price_links, const StepSize& step_size, bool pairwise);
  void add_change(const Tree& tree, double amount);
  [[nodiscard]] std::size_t dearest_tree(const Source& source) const;
  void find_trees(std::size_t first, std::size_t last);
  void shift(Source& source, Tree&& tree, double step, std::optional<std::size_t> leaving);
  /// sum(price x capacity) over the links that are up: what a dual bound is measured in.
  [[nodiscard]] double budget(std::span<const double> prices) const;
  void update_bound(std::span<const double> prices);
  bool offer_bound(double bound, std::span<const double> prices);
  [[nodiscard]] double gap() const;
  [[nodiscard]] double demand_delay() const {
    return std::inner_product(load_.begin(), load_.end(), delay_.begin(), 0.0);
  }
  [[nodiscard]] double utilization() const { return *std::max_element(utilization_.begin(), utilization_.end()); }
  void refresh_loads();
  /// Adds the loads of all trees up, by share.
  void mix_loads();
  /// Runs `work(i)` for i in [first, last), spread over the threads; the order of effects must not matter.
  template <typename Work>
  void spread(std::size_t first, std::size_t last, const Work& work);

  const Topology& topology_;
  const SourceTreeOptions options_;
  TreeSearchGraph graph_;
  WorkerTeam team_;
  std::vector<TreeSearch> searches_;  // one a member of the team
  std::vector<Source> sources_;
  std::vector<double> inverse_capacity_;  // by link; 0 for a link that is down
  std::vector<double> delay_;             // by link, seconds
  double delay_unit_ = 1.0;               // demand x shortest delay, summed: makes delay costs comparable to 1

  std::vector<double> load_, utilization_;  // by link
  std::vector<double> price_;               // by link, soft-maximum gradient, per bit/s; sums to 1 over x capacity
  std::vector<double> cost_;                // by link: price + what delay adds
  std::vector<double> change_;              // by link: utilisation change of the step considered
  std::vector<double> price_average_;       // by link
  std::vector<Tree> found_;                 // by source
  double delay_weight_ = 0.0;               // per second x bit/s
  int sweeps_ = 0;

  double lower_bound_ = 0.0;
  std::vector<double> duals_;
};

Solver::Solver(const Topology& topology, const TrafficMatrix& demand, const SourceTreeOptions& options)
    : topology_{topology},
      options_{options},
      graph_{topology},
      team_{topology.node_count() < kThreadsWorthNodes ? 1 : static_cast<std::size_t>(std::max(1, options.threads))} {
  const std::size_t n = topology.node_count();
  const std::size_t links = topology.link_count();
  delay_ = delay_costs(topology);
  inverse_capacity_.assign(links, 0.0);
  for (std::size_t l = 0; l < links; ++l) {
    if (topology.links()[l].up) inverse_capacity_[l] = 1.0 / topology.links()[l].capacity.bps();
  }
  for (std::size_t member = 0; member < team_.size(); ++member) searches_.emplace_back(graph_);

  double shortest_delay = 0.0;
  for (std::size_t s = 0; s < n; ++s) {
    Source source{.node = NodeId{s}, .demand = std::vector<double>(n, 0.0), .trees = {}, .share = {}, .load = {}};
    searches_[0].run(s, delay_);
    double total = 0.0;
    for (std::size_t t = 0; t < n; ++t) {
      if (t == s || !std::isfinite(searches_[0].cost()[t])) continue;
      source.demand[t] = demand.at(NodeId{s}, NodeId{t}).bps();
      total += source.demand[t];
      shortest_delay += source.demand[t] * searches_[0].cost()[t];
    }
    if (total <= 0.0) continue;
    source.load.assign(links, 0.0);
    sources_.push_back(std::move(source));
  }
  if (shortest_delay > 0.0) delay_unit_ = shortest_delay;
  load_.assign(links, 0.0);
  utilization_.assign(links, 0.0);
  price_.assign(links, 0.0);
  cost_.assign(links, 0.0);
  change_.assign(links, 0.0);
  price_average_.assign(links, 0.0);
  duals_.assign(links, 0.0);
  found_.resize(sources_.size());
}

template <typename Work>
void Solver::spread(std::size_t first, std::size_t last, const Work& work) {
  const std::size_t members = team_.size();
  if (members == 1) {
    for (std::size_t i = first; i < last; ++i) work(i, searches_[0]);
    return;
  }
  team_.run([&](std::size_t member) {
    for (std::size_t i = first + member; i < last; i += members) work(i, searches_[member]);
  });
}

void Solver::find_trees(std::size_t first, std::size_t last) {
  spread(first, last, [this](std::size_t i, TreeSearch& search) {
    const Source& source = sources_[i];
    Tree& tree = found_[i];
    search.run(source.node.index(), cost_);
    tree.parent_link = search.parent_link();
    tree.load = source.demand;
    tree.delay_cost = 0.0;
    search.accumulate(tree.load);
    for (std::size_t node = 0; node < tree.load.size(); ++node) {
      const std::uint32_t link = tree.parent_link[node];
      if (link != ShortestPathTree::kNoLink) tree.delay_cost += tree.load[node] * delay_[link];
    }
  });
}

/// Moves `step` of the source's traffic to `tree`.
void Solver::shift(Source& source, Tree&& tree, double step, std::optional<std::size_t> leaving) {
  if (step <= 0.0) return;
  double arriving = step;
  if (leaving) {
    arriving = step * source.share[*leaving];
    source.share[*leaving] -= arriving;
  } else {
    for (double& share : source.share) share *= 1.0 - step;
  }
  const auto same = std::find_if(source.trees.begin(), source.trees.end(),
                                 [&](const Tree& held) { return held.parent_link == tree.parent_link; });
  if (same != source.trees.end()) {
    source.share[static_cast<std::size_t>(same - source.trees.begin())] += arriving;
  } else {
    source.trees.push_back(std::move(tree));
    source.share.push_back(arriving);
  }
  for (std::size_t l = 0; l < load_.size(); ++l) {
    if (change_[l] == 0.0) continue;
    const double before = source.load[l];
    source.load[l] += step * change_[l] / inverse_capacity_[l];
    load_[l] += source.load[l] - before;
    utilization_[l] = load_[l] * inverse_capacity_[l];
  }
}

void Solver::add_change(const Tree& tree, double amount) {
  for (std::size_t node = 0; node < tree.load.size(); ++node) {
    const std::uint32_t link = tree.parent_link[node];
    if (link != ShortestPathTree::kNoLink) change_[link] += amount * tree.load[node] * inverse_capacity_[link];
  }
}

/// The tree in use that costs its source most under the present prices.
std::size_t Solver::dearest_tree(const Source& source) const {
  std::size_t dearest = 0;
  double highest = -1.0;
  for (std::size_t k = 0; k < source.trees.size(); ++k) {
    if (source.share[k] <= 0.0) continue;
    const Tree& tree = source.trees[k];
    double cost = 0.0;
    for (std::size_t node = 0; node < tree.load.size(); ++node) {
      const std::uint32_t link = tree.parent_link[node];
      if (link != ShortestPathTree::kNoLink) cost += tree.load[node] * cost_[link];
    }
    if (cost > highest) {
      highest = cost;
      dearest = k;
    }
  }
  return dearest;
}

template <typename PriceLinks, typename StepSize>
void Solver::sweep(const PriceLinks& price_links, const StepSize& step_size, bool pairwise) {
  ++sweeps_;
  for (std::size_t first = 0; first < sources_.size(); first += kBlock) {
    const std::size_t last = std::min(first + kBlock, sources_.size());
    price_links();
    find_trees(first, last);
    for (std::size_t i = first; i < last; ++i) {
      Source& source = sources_[i];
      Tree& tree = found_[i];
      if (pairwise && source.trees.size() > 1) {
        const std::size_t leaving = dearest_tree(source);
        const double amount = source.share[leaving];
        std::fill(change_.begin(), change_.end(), 0.0);
        add_change(source.trees[leaving], -amount);
        add_change(tree, amount);
        const double delay_change = amount * (tree.delay_cost - source.trees[leaving].delay_cost);
        shift(source, std::move(tree), step_size(source, delay_change), leaving);
        continue;
      }
      for (std::size_t l = 0; l < load_.size(); ++l) change_[l] = -source.load[l] * inverse_capacity_[l];
      double delay_change = tree.delay_cost;
      for (std::size_t l = 0; l < load_.size(); ++l) delay_change -= source.load[l] * delay_[l];
      add_change(tree, 1.0);
      shift(source, std::move(tree), step_size(source, delay_change), std::nullopt);
    }
  }
  refresh_loads();
}

/// Forgets trees that carry next to nothing and adds the loads up anew, so that rounding does not pile up.
void Solver::refresh_loads() {
  for (Source& source : sources_) {
    double kept = 0.0;
    std::size_t to = 0;
    for (std::size_t k = 0; k < source.trees.size(); ++k) {
      if (source.share[k] < kShareDropped) continue;
      kept += source.share[k];
      if (to != k) {
        source.trees[to] = std::move(source.trees[k]);
        source.share[to] = source.share[k];
      }
      ++to;
    }
    source.trees.resize(to);
    source.share.resize(to);
    for (double& share : source.share) share /= kept;
  }
  mix_loads();
}

void Solver::mix_loads() {
  std::fill(load_.begin(), load_.end(), 0.0);
  for (Source& source : sources_) {
    std::fill(source.load.begin(), source.load.end(), 0.0);
    for (std::size_t k = 0; k < source.trees.size(); ++k) {
      if (source.share[k] == 0.0) continue;
      const Tree& tree = source.trees[k];
      for (std::size_t node = 0; node < tree.load.size(); ++node) {
        const std::uint32_t link = tree.parent_link[node];
        if (link != ShortestPathTree::kNoLink) source.load[link] += source.share[k] * tree.load[node];
      }
    }
    for (std::size_t l = 0; l < load_.size(); ++l) load_[l] += source.load[l];
  }
  for (std::size_t l = 0; l < load_.size(); ++l) utilization_[l] = load_[l] * inverse_capacity_[l];
}

double Solver::budget(std::span<const double> prices) const {
  double total = 0.0;
  for (std::size_t l = 0; l < prices.size(); ++l) {
    if (inverse_capacity_[l] > 0.0) total += prices[l] / inverse_capacity_[l];
  }
  return total;
}

void Solver::update_bound(std::span<const double> prices) {
  const double worth = budget(prices);
  if (worth <= 0.0) return;
  std::vector<double> part(sources_.size(), 0.0);
  spread(0, sources_.size(), [&](std::size_t i, TreeSearch& search) {
    search.run(sources_[i].node.index(), prices);
    for (std::size_t t = 0; t < sources_[i].demand.size(); ++t) {
      if (sources_[i].demand[t] > 0.0) part[i] += sources_[i].demand[t] * search.cost()[t];
    }
  });
  offer_bound(std::accumulate(part.begin(), part.end(), 0.0) / worth, prices);
}

bool Solver::offer_bound(double bound, std::span<const double> prices) {
  if (bound <= lower_bound_) return false;
  lower_bound_ = bound;
  duals_.assign(prices.begin(), prices.end());  // price x capacity sums to 1 within rounding
  return true;
}

double Solver::gap() const {
  return lower_bound_ > 0.0 ? utilization() / lower_bound_ - 1.0 : std::numeric_limits<double>::infinity();
}

void Solver::minimize_utilization(double gap_wanted) {
  if (gap() <= gap_wanted) return;
  const bool master_pays = sources_.size() * load_.size() <= kMasterSizeMax;
  sweep_to(gap_wanted, master_pays ? kSweepsBeforeMaster : options_.sweeps_max);
  if (gap() > gap_wanted && master_pays) solve_master_to(gap_wanted);
}

/// Columns of one source's trees, from number `first_tree` on, in units of the utilisation `unit`: Clp's tolerances are
/// absolute.
void Solver::add_columns(TreeMaster& master, std::size_t source, std::size_t first_tree, double unit) const {
  std::vector<TreeMaster::Entry> entries;
  for (std::size_t k = first_tree; k < sources_[source].trees.size(); ++k) {
    const Tree& tree = sources_[source].trees[k];
    entries.clear();
    for (std::size_t node = 0; node < tree.load.size(); ++node) {
      const std::uint32_t link = tree.parent_link[node];
      if (link == ShortestPathTree::kNoLink || tree.load[node] == 0.0) continue;
      entries.push_back({.link = link, .utilization = tree.load[node] * inverse_capacity_[link] / unit});
    }
    master.add_tree(source, entries);
  }
}

/// Column generation with stabilised prices: new trees are the cheapest under a blend of the master's duals and the
/// prices of the best bound, since duals of an unfinished master jump about.
void Solver::solve_master_to(double gap_wanted) {
  TreeMaster master{sources_.size(), load_.size()};
  const double unit = utilization();
  std::vector<std::pair<std::size_t, std::size_t>> column_tree;  // column -> source, tree
  std::vector<std::size_t> added(sources_.size(), 0);            // by source: trees that are columns already
  const auto add_new = [&] {
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      add_columns(master, s, added[s], unit);
      for (; added[s] < sources_[s].trees.size(); ++added[s]) column_tree.emplace_back(s, added[s]);
    }
  };
  double blend = kBlendFirst;
  for (int round = 0; round < kMasterRoundsMax; ++round) {
    const std::size_t columns_before = column_tree.size();
    add_new();
    if (round > 0 && column_tree.size() == columns_before && blend == 0.0) break;
    if (!master.solve()) break;
    for (std::size_t c = 0; c < column_tree.size(); ++c) {
      sources_[column_tree[c].first].share[column_tree[c].second] = master.shares()[c];
    }
    mix_loads();
    if (gap() <= gap_wanted) break;

    for (std::size_t l = 0; l < cost_.size(); ++l) {
      cost_[l] = blend * duals_[l] + (1.0 - blend) * master.duals()[l] * inverse_capacity_[l];
    }
    ++sweeps_;
    find_trees(0, sources_.size());
    double paid = 0.0;  // what all trees cost at these prices
    for (const Tree& tree : found_) {
      for (std::size_t node = 0; node < tree.load.size(); ++node) {
        const std::uint32_t link = tree.parent_link[node];
        if (link != ShortestPathTree::kNoLink) paid += tree.load[node] * cost_[link];
      }
    }
    const double worth = budget(cost_);  // 1 but for the LP's tolerance, which a certificate would show
    const bool better = worth > 0.0 && offer_bound(paid / worth, cost_);
    blend = better ? kBlendFirst : blend * 0.5;
    if (blend < 0.01) blend = 0.0;
    if (gap() <= gap_wanted) break;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      Source& source = sources_[s];
      const bool held = std::any_of(source.trees.begin(), source.trees.end(),
                                    [&](const Tree& tree) { return tree.parent_link == found_[s].parent_link; });
      if (held) continue;
      source.trees.push_back(std::move(found_[s]));
      source.share.push_back(0.0);
    }
  }
  refresh_loads();
}

void Solver::sweep_to(double gap_wanted, int sweeps_max) {
  // Everyone starts on the shortest path, those that come later seeing what the earlier ones filled.
  cost_ = delay_;
  delay_weight_ = 0.0;
  double sharpness = kFirstSharpness;
  const double soft_range = std::log(static_cast<double>(load_.size()) + 1.0);
  double average_weight = 0.0;

  for (int round = 0; round < sweeps_max && gap() > gap_wanted; ++round) {
    const double unit = utilization();
    const double eta = unit > 0.0 ? sharpness / unit : 0.0;
    const auto price_links = [&] {
      if (unit == 0.0 && round == 0) {
        const double filled = utilization();
        if (filled == 0.0) return;  // first block: by delay alone
        soft_max_prices(utilization_, inverse_capacity_, 20.0 / filled, price_);
        delay_weight_ = filled / delay_unit_ * 0.2;
      } else {
        soft_max_prices(utilization_, inverse_capacity_, eta, price_);
        delay_weight_ = kDelayTieBreak * unit / delay_unit_;
      }
      for (std::size_t l = 0; l < cost_.size(); ++l) cost_[l] = price_[l] + delay_weight_ * delay_[l];
    };
    const auto step_size = [&](const Source& source, double delay_change) {
      if (source.trees.empty()) return 1.0;
      return soft_max_step(utilization_, change_, eta, delay_weight_ * delay_change);
    };
    sweep(price_links, step_size, false);
    if (round == 0) continue;

    soft_max_prices(utilization_, inverse_capacity_, sharpness / utilization(), price_);
    average_weight = 0.7 * average_weight + 1.0;
    for (std::size_t l = 0; l < price_.size(); ++l) {
      price_average_[l] += (price_[l] - price_average_[l]) / average_weight;
    }
    update_bound(price_average_);
    // The soft maximum may be off by soft_range / sharpness: keep that at a fraction of the gap that is left.
    sharpness = std::max(sharpness, std::min(2.0 * sharpness, 3.0 * soft_range / std::max(gap(), gap_wanted)));
  }
}

/// Least delay with the utilisation held near what the gap allows: capacities become exponential penalties.
void Solver::shorten_paths() {
  const double allowed = lower_bound_ * (1.0 + kSlackUsed * std::min(options_.gap, kSlackMax));
  if (!(allowed > utilization())) return;
  for (double& inverse : inverse_capacity_) inverse /= allowed;
  refresh_loads();

  delay_weight_ = 1.0 / delay_unit_;
  double delay_cost = demand_delay();
  // Patience: penalties that harden slowly, and moves from the dearest tree alone, end within a few percent of the
  // least delay. Large networks cannot pay for that many sweeps.
  const bool patient = sources_.size() * load_.size() <= kPatientSizeMax;
  const int sweeps_max = patient ? kPatientSweeps : kShorteningSweeps;
  for (int round = 0; round < sweeps_max; ++round) {
    const double eta =
        std::min(kBarrierSharpness, patient ? 10.0 * std::pow(1.06, round) : kBarrierSharpness * 0.25 * (round + 1));
    const auto price_links = [&] {
      barrier_prices(utilization_, inverse_capacity_, eta, kBarrierWeight, price_);
      for (std::size_t l = 0; l < cost_.size(); ++l) cost_[l] = price_[l] + delay_weight_ * delay_[l];
    };
    const auto step_size = [&](const Source&, double delay_change) {
      return barrier_step(utilization_, change_, eta, kBarrierWeight, delay_weight_ * delay_change);
    };
    sweep(price_links, step_size, patient);
    const double delay_before = std::exchange(delay_cost, demand_delay());
    if (eta >= kBarrierSharpness && delay_cost > delay_before * (1.0 - kShorteningWorthwhile)) break;
  }
  for (double& inverse : inverse_capacity_) inverse *= allowed;
  refresh_loads();
}

SourceTreeSolution Solver::run() {
  SourceTreeSolution solution;
  if (!sources_.empty()) {
    minimize_utilization(options_.least_delay ? kGapBeforeShortening * options_.gap : options_.gap);
    if (options_.least_delay) {
      shorten_paths();
      minimize_utilization(options_.gap);  // takes back what the penalties let through, if anything
    }
  }
  for (Source& source : sources_) {
    SourceRouting routing{.source = source.node, .share = std::move(source.share), .trees = {}};
    for (Tree& tree : source.trees) routing.trees.push_back(std::move(tree.parent_link));
    solution.sources.push_back(std::move(routing));
  }
  solution.utilization = utilization_.empty() ? 0.0 : utilization();
  solution.lower_bound = lower_bound_;
  solution.duals = std::move(duals_);
  solution.sweeps = sweeps_;
  return solution;
}

}  // namespace

SourceTreeSolution solve_source_trees(const Topology& topology, const TrafficMatrix& demand,
                                      const SourceTreeOptions& options) {
  assert(demand.node_count() == topology.node_count() && demand.class_count() == 1);
  return Solver{topology, demand, options}.run();
}

}  // namespace wan::controller
