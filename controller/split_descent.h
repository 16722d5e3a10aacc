#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/link_potential.h"
#include "controller/path_finder.h"
#include "controller/split_rows.h"
#include "core/topology.h"

namespace wan::controller {

/// Pairwise descent on the soft maximum of utilisation over the splits of a plan, with at most so many paths a row.
///
/// A sweep moves share within each row from its dearest path to its cheapest; an exchange offers each row the cheapest
/// path that its rule allows. Neither ever raises the soft maximum, and neither touches rows that cross no busy link,
/// nor fixed ones. With several levels the soft maximum runs over their columns (LinkPotential).
///
/// Threads: one owner.
class SplitDescent {
 public:
  /// All outlive the descent.
  SplitDescent(const Topology& topology, SplitRows& rows, PathFinder& finder, std::size_t paths_max,
               std::size_t level_count);

  /// As LinkPotential's; `set_loads` follows.
  void set_scale(std::span<const double> by_level) { loads_.set_scale(by_level); }
  /// Sweeps and exchanges change rows of these levels alone from here on; at first all.
  void set_levels(std::size_t first, std::size_t last) {
    first_level_ = first;
    last_level_ = last;
  }
  [[nodiscard]] bool works_on(const SplitRows::Row& row) const {
    return row.rate_bps > 0.0 && row.level >= first_level_ && row.level <= last_level_;
  }
  /// Loads anew from the rows, free of rounding, with eta = sharpness / largest utilisation.
  void set_loads(double sharpness);
  [[nodiscard]] double sharpness() const { return loads_.eta() * loads_.max_utilization(); }
  [[nodiscard]] double max_utilization() const { return loads_.max_utilization(); }  ///< when loads were last set
  /// Of a level and those above, likewise, not in its unit.
  [[nodiscard]] double column_utilization(std::size_t level) const { return loads_.column_utilization(level); }
  [[nodiscard]] const LinkPotential& loads() const { return loads_; }

  /// Once over all rows; what it gained, as a part of the utilisation.
  double sweep();
  /// Offers each row the cheapest path, where it is cheaper than what the row has: beside its paths while they are few
  /// enough, else in the place of one of them, where that helps.
  /// @param except  a row left alone, by number
  void exchange_paths(std::size_t except = SIZE_MAX);

  /// Takes a choice away; its share goes to the other one that has most room for it. The row has another one.
  void give_up(SplitRows::Row& row, std::size_t choice);
  /// A path takes over all that a choice carries.
  void replace(SplitRows::Row& row, std::size_t choice, std::span<const std::uint32_t> path);

  /// By link: its price for a group, and a little for its length, so that of equally idle ways the short one is taken;
  /// infinite for what the group avoids.
  [[nodiscard]] std::span<const double> costs(const RowGroup& group);

 private:
  using Row = SplitRows::Row;
  using Choice = SplitRows::Choice;

  [[nodiscard]] LinkPotential::Move move_of(const Row& row, const Choice& from,
                                            std::span<const std::uint32_t> to) const {
    return {.level = row.level, .from = rows_.links(from), .to = to};
  }
  [[nodiscard]] static double rate_of(const Row& row, const Choice& choice) { return row.rate_bps * choice.share; }
  [[nodiscard]] std::size_t dearest(const Row& row) const;
  [[nodiscard]] double cost_of(const Choice& choice) const;
  void refresh_costs(const RowGroup& group);
  void exchange_paths_of(std::uint32_t group, std::size_t except);
  [[nodiscard]] bool may_gain(const Row& row) const;
  void balance(Row& row);
  bool offer(Row& row, std::span<const std::uint32_t> path);
  bool add_beside(Row& row, std::span<const std::uint32_t> path);
  bool take_place(Row& row, std::span<const std::uint32_t> path);
  bool make_room(Row& row, std::span<const std::uint32_t> path);

  const Topology& topology_;
  SplitRows& rows_;
  PathFinder& finder_;
  std::size_t paths_max_;
  LinkPotential loads_;
  std::size_t first_level_ = 0, last_level_ = 0;
  std::vector<std::vector<std::vector<std::uint32_t>>> rows_from_;  // [group][source]: rows with traffic, not fixed
  std::vector<double> tie_;                                         // by link: delay and hop, 2 on average
  std::vector<double> cost_;                                        // of the group worked on
  std::vector<std::uint32_t> path_;
};

}  // namespace wan::controller
