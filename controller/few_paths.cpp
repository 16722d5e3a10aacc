#include "controller/few_paths.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "controller/link_potential.h"
#include "controller/segment_lists.h"
#include "controller/segment_search.h"
#include "controller/split_rows.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

using Choice = SplitRows::Choice;
using Row = SplitRows::Row;

constexpr int kRoundsMax = 60;
constexpr int kStallsMax = 6;       // rounds without progress, each twice as sharp as the one before
constexpr int kSweepsMax = 12;      // a round
constexpr double kProgress = 2e-5;  // of the utilisation, that a round must gain
constexpr double kSharpnessMin = 60.0;
constexpr double kSharpnessMax = 2e5;
constexpr double kWorthAPath = 1e-3;  // a new path must be cheaper by this part
constexpr double kMovable = 1e-9;     // of the utilisation: what a move must promise
constexpr double kShareMin = 2e-3;    // smaller shares are given up where the gap allows

std::vector<LinkId> as_ids(std::span<const std::uint32_t> links) {
  std::vector<LinkId> ids;
  for (const std::uint32_t link : links) ids.emplace_back(link);
  return ids;
}

/// Finds each source's cheapest paths, within the segment depth if there is one.
class PathFinder {
 public:
  PathFinder(const Topology& topology, std::optional<std::size_t> depth) : topology_{topology}, igp_{topology} {
    if (depth) within_depth_.emplace(topology, igp_, *depth);
  }
  [[nodiscard]] IgpTable& igp() { return igp_; }
  /// With a segment depth, costs are taken in once a round only: the table of ways is dear to make.
  void begin_round(std::span<const double> cost) {
    if (within_depth_) within_depth_->set_costs(cost);
    source_.reset();
  }
  void run(NodeId source, std::span<const double> cost) {
    if (within_depth_) {
      if (source_ != source) within_depth_->run(source);
      source_ = source;
    } else {
      tree_ = shortest_path_tree(topology_, source, cost);
    }
  }
  [[nodiscard]] double cost(NodeId to) const {
    return within_depth_ ? within_depth_->cost(to) : tree_.cost[to.index()];
  }
  void path_to(NodeId to, std::vector<std::uint32_t>& path) const {
    path.clear();
    if (within_depth_) {
      path = within_depth_->path_to(to);
      return;
    }
    for (const LinkId link : tree_.path_to(topology_, to)) path.push_back(static_cast<std::uint32_t>(link.index()));
  }

 private:
  const Topology& topology_;
  IgpTable igp_;
  std::optional<SegmentSearch> within_depth_;
  std::optional<NodeId> source_;  // that it ran from
  ShortestPathTree tree_;
};

class Reducer {
 public:
  Reducer(const Topology& topology, const TrafficMatrix& demand, const PathPlan& plan, double lower_bound,
          const FewPathsOptions& options)
      : topology_{topology},
        options_{options},
        rows_{topology, plan, demand},
        loads_{topology},
        finder_{topology, options.sid_depth},
        target_{lower_bound * (1.0 + options.gap)},
        cost_(topology.link_count()),
        tie_(topology.link_count()) {
    const std::vector<double> delay = delay_costs(topology);
    const double total = std::accumulate(delay.begin(), delay.end(), 0.0);
    const auto count = static_cast<double>(std::max<std::size_t>(delay.size(), 1));
    for (std::size_t l = 0; l < delay.size(); ++l) tie_[l] = 1.0 + (total > 0.0 ? delay[l] * count / total : 0.0);
  }

  Result<void> run();
  [[nodiscard]] PathPlan to_plan() const { return rows_.to_plan(); }
  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  [[nodiscard]] double rate_of(const Row& row, const Choice& choice) const { return row.rate_bps * choice.share; }
  void set_loads(double sharpness) { loads_.set(rows_.loads_bps(topology_.link_count()), sharpness); }
  void refresh_costs();
  [[nodiscard]] double cost_of(const Choice& choice) const;

  Result<void> keep_within_depth();
  Result<void> find_any_path(Row& row);
  void keep_few();
  void give_up(Row& row, std::size_t choice);
  void optimise();
  double sweep();
  void balance(Row& row);
  std::size_t exchange_paths();
  bool offer(Row& row, std::span<const std::uint32_t> path);
  bool add_beside(Row& row, std::span<const std::uint32_t> path);
  bool take_place(Row& row, std::span<const std::uint32_t> path);
  bool make_room(Row& row, std::span<const std::uint32_t> path);
  [[nodiscard]] std::size_t dearest(const Row& row) const;
  void drop_small_shares();

  const Topology& topology_;
  const FewPathsOptions& options_;
  SplitRows rows_;
  LinkPotential loads_;
  PathFinder finder_;
  double target_;
  std::vector<double> cost_;  // by link: its price, and a little for its length
  std::vector<double> tie_;   // by link: delay and hop, 2 on average
  std::vector<std::uint32_t> path_;
  int rounds_ = 0;
};

void Reducer::refresh_costs() {
  double sum = 0.0;
  for (std::uint32_t l = 0; l < cost_.size(); ++l) {
    cost_[l] = loads_.price(l);
    sum += cost_[l];
  }
  const double tie = sum > 0.0 ? 1e-3 * sum / static_cast<double>(cost_.size()) : 1.0;
  for (std::size_t l = 0; l < cost_.size(); ++l) cost_[l] += tie * tie_[l];
}

double Reducer::cost_of(const Choice& choice) const {
  double total = 0.0;
  for (const std::uint32_t link : rows_.links(choice)) total += cost_[link];
  return total;
}

/// Takes a choice away; its share goes to the other one that has most room for it.
void Reducer::give_up(Row& row, std::size_t choice) {
  const Choice given = row.choices[choice];
  row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(choice));
  std::size_t best = 0;
  double least = 0.0;
  for (std::size_t p = 0; p < row.choices.size() && row.choices.size() > 1; ++p) {
    const double after = loads_.potential_after(rows_.links(given), rows_.links(row.choices[p]), rate_of(row, given));
    if (p > 0 && after >= least) continue;
    least = after;
    best = p;
  }
  loads_.move(rows_.links(given), rows_.links(row.choices[best]), rate_of(row, given));
  row.choices[best].share += given.share;
}

Result<void> Reducer::find_any_path(Row& row) {
  finder_.run(row.from, cost_);
  if (finder_.cost(row.to) == std::numeric_limits<double>::infinity()) {
    return fail(ErrorCode::kUnsupported, "no path from " + topology_.node(row.from).name + " to " +
                                             topology_.node(row.to).name + " can be described by " +
                                             std::to_string(*options_.sid_depth) + " segments");
  }
  finder_.path_to(row.to, path_);
  rows_.add(row, path_);
  return {};
}

Result<void> Reducer::keep_within_depth() {
  const std::size_t depth = *options_.sid_depth;
  refresh_costs();
  finder_.begin_round(cost_);
  for (Row& row : rows_.rows()) {
    std::vector<bool> fits;
    for (const Choice& choice : row.choices) {
      const auto segments = path_segments(finder_.igp(), topology_, as_ids(rows_.links(choice)), depth);
      fits.push_back(segments && segments->size() <= depth);
    }
    if (std::find(fits.begin(), fits.end(), true) == fits.end()) {
      if (auto found = find_any_path(row); !found) return found;
      fits.push_back(true);
    }
    for (std::size_t p = fits.size(); p-- > 0;) {
      // The ones that fit, none of them given up, come to hold all of the demand in the end.
      if (!fits[p]) give_up(row, p);
    }
  }
  return {};
}

void Reducer::keep_few() {
  std::vector<std::size_t> order;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    if (rows_.rows()[r].choices.size() > options_.paths_max) order.push_back(r);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows_.rows()[a].rate_bps > rows_.rows()[b].rate_bps; });
  for (const std::size_t r : order) {
    Row& row = rows_.rows()[r];
    while (row.choices.size() > options_.paths_max) {
      const auto smallest = std::min_element(row.choices.begin(), row.choices.end(),
                                             [](const Choice& a, const Choice& b) { return a.share < b.share; });
      give_up(row, static_cast<std::size_t>(smallest - row.choices.begin()));
    }
  }
}

/// Moves share from the dearest choice to the cheapest; one that is left with nothing is taken away.
void Reducer::balance(Row& row) {
  std::size_t low = 0;
  std::size_t high = 0;
  double cheapest = 0.0;
  double dear = 0.0;
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double price = loads_.price(rows_.links(row.choices[p]));
    if (p == 0 || price < cheapest) {
      cheapest = price;
      low = p;
    }
    if (p == 0 || price > dear) {
      dear = price;
      high = p;
    }
  }
  const double bps = rate_of(row, row.choices[high]);
  if (low == high || (dear - cheapest) * bps <= kMovable * loads_.max_utilization()) return;
  const auto from = rows_.links(row.choices[high]);
  const auto to = rows_.links(row.choices[low]);
  const double moved = loads_.best_move(from, to, bps);
  if (moved <= 0.0) return;
  loads_.move(from, to, moved);
  row.choices[low].share += moved / row.rate_bps;
  if (moved >= bps) {
    row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(high));
  } else {
    row.choices[high].share -= moved / row.rate_bps;
  }
}

/// What it gained, as a part of the utilisation.
double Reducer::sweep() {
  const double before = loads_.potential();
  for (Row& row : rows_.rows()) {
    if (row.choices.size() > 1 && row.rate_bps > 0.0) balance(row);
  }
  const double gained = std::log(before / loads_.potential()) / (loads_.eta() * loads_.max_utilization());
  set_loads(loads_.eta() * loads_.max_utilization());
  return gained;
}

std::size_t Reducer::dearest(const Row& row) const {
  std::size_t found = 0;
  double high = -1.0;
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double price = cost_of(row.choices[p]);
    if (price <= high) continue;
    high = price;
    found = p;
  }
  return found;
}

bool Reducer::add_beside(Row& row, std::span<const std::uint32_t> path) {
  const std::size_t from = dearest(row);
  const double bps = rate_of(row, row.choices[from]);
  const double moved = loads_.best_move(rows_.links(row.choices[from]), path, bps);
  if (moved <= 1e-3 * row.rate_bps) return false;
  loads_.move(rows_.links(row.choices[from]), path, moved);
  row.choices[from].share -= moved / row.rate_bps;
  rows_.add(row, path);
  row.choices.back().share = moved / row.rate_bps;
  if (moved >= bps) row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(from));
  return true;
}

/// The path replaces one of the row's, share and all, where that helps.
bool Reducer::take_place(Row& row, std::span<const std::uint32_t> path) {
  double least = loads_.potential() * (1.0 - 1e-9);
  std::size_t best = row.choices.size();
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double after = loads_.potential_after(rows_.links(row.choices[p]), path, rate_of(row, row.choices[p]));
    if (after >= least) continue;
    least = after;
    best = p;
  }
  if (best == row.choices.size()) return false;
  const Choice replaced = row.choices[best];
  loads_.move(rows_.links(replaced), path, rate_of(row, replaced));
  row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(best));
  rows_.add(row, path);
  row.choices.back().share = replaced.share;
  return true;
}

/// The smallest share joins another one, and the path takes what it can of the dearest, where both together help.
bool Reducer::make_room(Row& row, std::span<const std::uint32_t> path) {
  if (row.choices.size() < 2) return false;
  const double before = loads_.potential();
  const std::vector<Choice> old = row.choices;
  const auto smallest = std::min_element(row.choices.begin(), row.choices.end(),
                                         [](const Choice& a, const Choice& b) { return a.share < b.share; });
  give_up(row, static_cast<std::size_t>(smallest - row.choices.begin()));
  if (add_beside(row, path) && loads_.potential() < before * (1.0 - 1e-9)) return true;
  // Back as it was: every choice's load is taken off and put on again.
  for (const Choice& choice : row.choices) loads_.move(rows_.links(choice), {}, rate_of(row, choice));
  row.choices = old;
  for (const Choice& choice : row.choices) loads_.move({}, rows_.links(choice), rate_of(row, choice));
  return false;
}

bool Reducer::offer(Row& row, std::span<const std::uint32_t> path) {
  if (row.choices.size() < options_.paths_max) return add_beside(row, path);
  return take_place(row, path) || make_room(row, path);
}

/// Offers each row the cheapest path there is, where it is cheaper than what the row has.
std::size_t Reducer::exchange_paths() {
  std::size_t taken = 0;
  const auto all = rows_.rows();
  std::vector<std::vector<std::uint32_t>> of_source(topology_.node_count());
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].rate_bps > 0.0) of_source[all[r].from.index()].push_back(static_cast<std::uint32_t>(r));
  }
  refresh_costs();
  finder_.begin_round(cost_);
  for (std::size_t s = 0; s < of_source.size(); ++s) {
    if (of_source[s].empty()) continue;
    if (!options_.sid_depth) refresh_costs();
    finder_.run(NodeId{s}, cost_);
    for (const std::uint32_t r : of_source[s]) {
      Row& row = all[r];
      if (finder_.cost(row.to) >= (1.0 - kWorthAPath) * cost_of(row.choices[dearest(row)])) continue;
      finder_.path_to(row.to, path_);
      if (!rows_.has(row, path_) && offer(row, path_)) ++taken;
    }
  }
  return taken;
}

void Reducer::optimise() {
  std::vector<std::vector<Choice>> best(rows_.rows().size());
  const auto keep_best = [&] {
    for (std::size_t r = 0; r < best.size(); ++r) best[r] = rows_.rows()[r].choices;
  };
  const double several = 2.0 * std::log(static_cast<double>(topology_.link_count()) + 1.0);
  double lowest = std::numeric_limits<double>::infinity();
  double factor = 1.0;
  set_loads(kSharpnessMin);
  for (int stalls = 0; rounds_ < kRoundsMax; ++rounds_) {
    const double utilization = loads_.max_utilization();
    const bool progress = utilization < lowest * (1.0 - kProgress);
    if (utilization < lowest) {
      lowest = utilization;
      keep_best();
    }
    if (lowest <= target_ || lowest <= 0.0) break;
    stalls = progress ? 0 : stalls + 1;
    if (stalls > kStallsMax) break;
    if (!progress) factor *= 2.0;
    const double excess = target_ > 0.0 ? lowest / target_ - 1.0 : 1.0;
    const double wanted = factor * several / std::max(excess, 0.1 * options_.gap);
    set_loads(std::clamp(wanted, kSharpnessMin, kSharpnessMax));
    exchange_paths();
    set_loads(loads_.eta() * loads_.max_utilization());
    for (int i = 0; i < kSweepsMax && sweep() > 0.1 * kProgress; ++i) {
    }
  }
  for (std::size_t r = 0; r < best.size(); ++r) rows_.rows()[r].choices = std::move(best[r]);
}

/// Small shares are not worth a path, as long as the gap holds without them.
void Reducer::drop_small_shares() {
  set_loads(kSharpnessMax);
  const double allowed = std::max(target_, loads_.max_utilization());
  std::vector<std::pair<std::size_t, std::vector<Choice>>> before;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    Row& row = rows_.rows()[r];
    for (std::size_t p = row.choices.size(); p-- > 0 && row.choices.size() > 1;) {
      if (row.choices[p].share >= kShareMin) continue;
      if (before.empty() || before.back().first != r) before.emplace_back(r, row.choices);
      give_up(row, p);
    }
  }
  set_loads(kSharpnessMax);
  if (loads_.max_utilization() <= allowed) return;
  for (auto& [r, choices] : before) rows_.rows()[r].choices = std::move(choices);
}

Result<void> Reducer::run() {
  set_loads(kSharpnessMin);
  set_loads(std::clamp(1.0 / options_.gap, kSharpnessMin, kSharpnessMax));
  if (options_.sid_depth) {
    if (auto kept = keep_within_depth(); !kept) return kept;
  }
  keep_few();
  optimise();
  drop_small_shares();
  return {};
}

}  // namespace

SegmentLists segment_lists_of(const Topology& topology, const PathPlan& plan, std::size_t depth) {
  SegmentLists lists;
  IgpTable igp{topology};
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      lists.add(path_segments(igp, topology, plan.path(d, p).links, depth).value());
    }
  }
  return lists;
}

Result<FewPathsPlan> reduce_paths(const Topology& topology, const TrafficMatrix& demand, const PathPlan& plan,
                                  const Certificate& certificate, const FewPathsOptions& options) {
  if (demand.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(demand.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  Reducer reducer{topology, demand, plan, certificate.lower_bound, options};
  if (const auto reduced = reducer.run(); !reduced) return tl::unexpected<Error>{reduced.error()};
  FewPathsPlan few{.plan = reducer.to_plan(), .certificate = certificate, .segments = {}, .rounds = reducer.rounds()};
  few.certificate.utilization = max_utilization(topology, few.plan, demand);
  if (options.sid_depth) few.segments = segment_lists_of(topology, few.plan, *options.sid_depth);
  return few;
}

}  // namespace wan::controller
