#include "controller/few_paths.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "controller/path_finder.h"
#include "controller/segment_lists.h"
#include "controller/split_descent.h"
#include "controller/split_rows.h"
#include "core/link_load.h"
#include "core/random.h"

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
constexpr double kShareMin = 2e-3;  // smaller shares are given up where the gap allows
constexpr double kKickWork = 5e5;   // rows looked at in all kicks together, before giving up
constexpr int kKicksMax = 400;
constexpr int kRoundsAfterKick = 3;
constexpr double kAsGood = 2e-3;  // of the utilisation: what is left of a plan's own paths may cost, unbalanced

std::vector<LinkId> as_ids(std::span<const std::uint32_t> links) {
  std::vector<LinkId> ids;
  for (const std::uint32_t link : links) ids.emplace_back(link);
  return ids;
}

class Reducer {
 public:
  Reducer(const Topology& topology, const TrafficMatrix& demand, const PathPlan& plan, double lower_bound,
          const FewPathsOptions& options)
      : topology_{topology},
        options_{options},
        rows_{topology, plan, demand},
        finder_{topology, options.sid_depth},
        descent_{topology, rows_, finder_, options.paths_max},
        target_{lower_bound * (1.0 + options.gap)} {}

  Result<void> run();
  [[nodiscard]] PathPlan to_plan() const { return rows_.to_plan(); }
  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  Result<void> keep_within_depth();
  [[nodiscard]] bool fits(const Choice& choice);
  Result<void> find_any_path(Row& row);
  [[nodiscard]] std::size_t depth_needed() const;
  void keep_few();
  void descend();
  void kick_on();
  bool kick(Rng& rng);
  void drop_small_shares();

  /// The best state so far.
  bool keep_if_best();
  void back_to_best();

  const Topology& topology_;
  const FewPathsOptions& options_;
  SplitRows rows_;
  PathFinder finder_;
  SplitDescent descent_;
  double target_;
  std::vector<std::vector<Choice>> best_;  // by row
  double lowest_ = std::numeric_limits<double>::infinity();
  int rounds_ = 0;
};

bool Reducer::keep_if_best() {
  if (descent_.max_utilization() >= lowest_) return false;
  lowest_ = descent_.max_utilization();
  best_.resize(rows_.rows().size());
  for (std::size_t r = 0; r < best_.size(); ++r) best_[r] = rows_.rows()[r].choices;
  return true;
}

void Reducer::back_to_best() {
  for (std::size_t r = 0; r < best_.size(); ++r) rows_.rows()[r].choices = best_[r];
}

bool Reducer::fits(const Choice& choice) {
  const std::size_t depth = *options_.sid_depth;
  const auto segments = path_segments(finder_.igp(), topology_, as_ids(rows_.links(choice)), depth);
  return segments && segments->size() <= depth;
}

/// Of all pairs that have a row; a bound on what a network of so many nodes can need stops it.
std::size_t Reducer::depth_needed() const {
  const std::vector<double> cost(topology_.link_count(), 1.0);
  std::size_t depth = *options_.sid_depth;
  for (bool enough = false; !enough && depth < topology_.node_count();) {
    ++depth;
    PathFinder finder{topology_, depth};
    finder.set_costs(cost);
    enough = std::ranges::all_of(rows_.rows(), [&](const Row& row) {
      finder.run(row.from);
      return std::isfinite(finder.cost(row.to));
    });
  }
  return depth;
}

Result<void> Reducer::find_any_path(Row& row) {
  finder_.run(row.from);
  if (!std::isfinite(finder_.cost(row.to))) {
    const auto segments = [](std::size_t count) {
      return std::to_string(count) + (count == 1 ? " segment" : " segments");
    };
    return fail(ErrorCode::kUnsupported, "no path from " + topology_.node(row.from).name + " to " +
                                             topology_.node(row.to).name + " can be described by " +
                                             segments(*options_.sid_depth) + "; all demands can by " +
                                             segments(depth_needed()));
  }
  std::vector<std::uint32_t> path;
  finder_.path_to(row.to, path);
  rows_.add(row, path);
  return {};
}

Result<void> Reducer::keep_within_depth() {
  finder_.set_costs(descent_.costs());
  for (Row& row : rows_.rows()) {
    std::vector<bool> kept;
    for (const Choice& choice : row.choices) kept.push_back(fits(choice));
    if (std::find(kept.begin(), kept.end(), true) == kept.end()) {
      if (auto found = find_any_path(row); !found) return found;
      kept.push_back(true);
    }
    // In the end those that fit hold all of the demand, whichever a share goes to on the way.
    for (std::size_t p = kept.size(); p-- > 0;) {
      if (!kept[p]) descent_.give_up(row, p);
    }
  }
  return {};
}

/// Largest demands first: the small ones fill what room these leave.
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
      descent_.give_up(row, static_cast<std::size_t>(smallest - row.choices.begin()));
    }
  }
}

/// As sharp as what is left to gain asks for, and sharper while nothing is gained.
void Reducer::descend() {
  const double several = 2.0 * std::log(static_cast<double>(topology_.link_count()) + 1.0);
  double factor = 1.0;
  descent_.set_loads(kSharpnessMin);
  for (int stalls = 0; rounds_ < kRoundsMax; ++rounds_) {
    const bool progress = descent_.max_utilization() < lowest_ * (1.0 - kProgress);
    keep_if_best();
    if (lowest_ <= target_ || lowest_ <= 0.0) break;
    stalls = progress ? 0 : stalls + 1;
    if (stalls > kStallsMax) break;
    if (!progress) factor *= 2.0;
    const double excess = target_ > 0.0 ? lowest_ / target_ - 1.0 : 1.0;
    const double wanted = factor * several / std::max(excess, 0.1 * options_.gap);
    descent_.set_loads(std::clamp(wanted, kSharpnessMin, kSharpnessMax));
    if (options_.new_paths) descent_.exchange_paths();
    descent_.set_loads(descent_.sharpness());
    for (int i = 0; i < kSweepsMax && descent_.sweep() > 0.1 * kProgress; ++i) {
    }
  }
  back_to_best();
}

/// Forces a demand off the busiest link and lets the others answer. Whether the best state got better.
bool Reducer::kick(Rng& rng) {
  const LinkPotential& loads = descent_.loads();
  std::uint32_t busiest = 0;
  for (std::uint32_t l = 1; l < topology_.link_count(); ++l) {
    if (loads.utilization(l) > loads.utilization(busiest)) busiest = l;
  }
  struct Crossing {
    std::size_t row;
    std::size_t choice;
  };
  std::vector<Crossing> crossing;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    const Row& row = rows_.rows()[r];
    for (std::size_t p = 0; row.rate_bps > 0.0 && p < row.choices.size(); ++p) {
      const auto links = rows_.links(row.choices[p]);
      if (std::find(links.begin(), links.end(), busiest) != links.end()) crossing.push_back({r, p});
    }
  }
  if (crossing.empty()) return false;
  const auto [r, choice] = crossing[rng.below(crossing.size())];
  Row& row = rows_.rows()[r];
  const auto prices = descent_.costs();
  std::vector<double> cost{prices.begin(), prices.end()};
  double beyond = 1.0;
  for (double& entry : cost) {
    entry *= 0.2 + rng.uniform();
    beyond += entry;
  }
  cost[busiest] = beyond;
  finder_.set_costs(cost);
  finder_.run(row.from);
  if (finder_.cost(row.to) >= beyond) return false;  // nothing leads around the link
  std::vector<std::uint32_t> path;
  finder_.path_to(row.to, path);
  if (rows_.has(row, path)) {
    descent_.give_up(row, choice);
  } else {
    descent_.replace(row, choice, path);
  }
  for (int round = 0; round < kRoundsAfterKick; ++round) {
    descent_.exchange_paths(round == 0 ? r : SIZE_MAX);
    for (int i = 0; i < kSweepsMax && descent_.sweep() > kProgress; ++i) {
    }
    if (keep_if_best()) return true;
  }
  return false;
}

/// Where paths are so few that whole demands must change places, descent alone sticks.
void Reducer::kick_on() {
  Rng rng{1, "few paths"};
  const double a_kick = kRoundsAfterKick * 4.0 * static_cast<double>(rows_.rows().size() + topology_.node_count());
  const int kicks = static_cast<int>(std::min<double>(kKicksMax, kKickWork / a_kick));
  constexpr std::array kSharpnesses{30.0, 100.0, 300.0, 1000.0};
  for (int i = 0; i < kicks && lowest_ > target_; ++i) {
    descent_.set_loads(kSharpnesses[rng.below(kSharpnesses.size())]);
    if (!kick(rng)) back_to_best();
  }
  back_to_best();
}

/// Small shares are not worth a path, as long as the gap holds without them.
void Reducer::drop_small_shares() {
  descent_.set_loads(kSharpnessMax);
  const double allowed = std::max(target_, descent_.max_utilization());
  std::vector<std::pair<std::size_t, std::vector<Choice>>> before;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    Row& row = rows_.rows()[r];
    for (std::size_t p = row.choices.size(); p-- > 0 && row.choices.size() > 1;) {
      if (row.choices[p].share >= kShareMin) continue;
      if (before.empty() || before.back().first != r) before.emplace_back(r, row.choices);
      descent_.give_up(row, p);
    }
  }
  descent_.set_loads(kSharpnessMax);
  if (descent_.max_utilization() <= allowed) return;
  for (auto& [r, choices] : before) rows_.rows()[r].choices = std::move(choices);
}

Result<void> Reducer::run() {
  descent_.set_loads(std::clamp(1.0 / options_.gap, kSharpnessMin, kSharpnessMax));
  if (options_.sid_depth) {
    if (auto kept = keep_within_depth(); !kept) return kept;
  }
  keep_few();
  descend();
  if (lowest_ > target_ && options_.new_paths) kick_on();
  drop_small_shares();
  return {};
}

}  // namespace

std::size_t most_paths(const PathPlan& plan) {
  std::size_t most = 0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) most = std::max(most, plan.path_count(d));
  return most;
}

PathPlan keep_few_paths(const Topology& topology, const TrafficMatrix& expected, PathPlan plan, std::size_t paths_max) {
  if (most_paths(plan) <= paths_max) return plan;
  const bool known = expected.node_count() == topology.node_count();
  const TrafficMatrix traffic = known ? expected : TrafficMatrix{topology.node_count()};
  FewPathsOptions options;
  options.paths_max = paths_max;
  options.new_paths = false;
  options.gap = kAsGood;
  Certificate as_it_is;
  as_it_is.lower_bound = max_utilization(topology, plan, traffic);
  return reduce_paths(topology, traffic, plan, as_it_is, options).value().plan;  // asks for nothing that can fail
}

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

namespace {

bool has_at_most(const PathPlan& plan, std::size_t paths_max) {
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    if (plan.path_count(d) > paths_max) return false;
  }
  return true;
}

}  // namespace

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
  if (!options.sid_depth && few.certificate.utilization > certificate.utilization &&
      has_at_most(plan, options.paths_max)) {
    few.plan = plan;  // it kept the limit already, and nothing was found that is better
    few.certificate.utilization = max_utilization(topology, few.plan, demand);
  }
  if (options.sid_depth) few.segments = segment_lists_of(topology, few.plan, *options.sid_depth);
  return few;
}

}  // namespace wan::controller
