#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wan::controller {

/// The least largest utilisation over the paths held, exactly, by a simplex method that stays where the last optimum
/// was: when demands move, the basis is still dual feasible and a few pivots lead to the new optimum.
///
/// Every demand holds a home path, which takes what no other path of it takes; only demands with more than one path
/// have a row. So the tableau has a row a link and a row a divided demand, and columns for the other paths and the
/// tight links: some hundred by some hundred on a network of a dozen nodes, where a pivot takes a microsecond.
/// New paths come from outside (column generation).
///
/// Threads: one owner.  Memory: (links + divided demands) x paths that are not home, numbers.
/// Cost: a pivot passes the rows that the column touches; see docs/performance.md
/// Source: Dantzig 1951 (primal), Lemke 1954 (dual); divided demands apart from the rest after generalised upper
///         bounding, Dantzig and Van Slyke 1967.
class PathSimplex {
 public:
  enum class Outcome : std::uint8_t {
    kOptimal,
    kOutOfPivots,  ///< flows and prices are not to be used; the next `follow` goes on from here
    kBroken,       ///< rounding stood in the way: begin anew
  };

  /// @param capacity  by link, bits per second, above 0
  PathSimplex(std::span<const double> capacity, std::size_t demand_count);

  /// The path a demand starts from; every demand that may carry traffic needs one before the first `follow`.
  void set_home(std::size_t demand, std::span<const std::uint32_t> links);

  /// The optimum over the paths held for these demands.
  /// @param bps         by demand, >= 0; zero for demands without a home
  /// @param tolerance   part of the utilisation that a link may be above it
  /// @param pivots_max  for this and every `improve` until the next `follow`
  [[nodiscard]] Outcome follow(std::span<const double> bps, double tolerance, std::size_t pivots_max);

  /// What it would save to send all of the demand that way, at the present prices, which hold for a first bit only:
  /// part of the utilisation; at most 0 where the demand's paths cost no more.
  [[nodiscard]] double saving(std::size_t demand, std::span<const std::uint32_t> links) const;
  /// Holds one more path; it carries nothing before `improve`. One that is held already has no saving.
  void add_path(std::size_t demand, std::span<const std::uint32_t> links);
  /// The optimum again after paths were added, with what pivots the last `follow` left.
  [[nodiscard]] Outcome improve();

  [[nodiscard]] double utilization() const;
  /// By link: how much of the utilisation hangs on its capacity, >= 0, in sum 1.
  [[nodiscard]] std::span<const double> prices() const { return prices_; }
  /// Calls `put(demand, links, bps)` (numbers as given to `set_home`, bits per second) for every path that carries
  /// something.
  template <typename Put>
  void for_each_flow(const Put& put) const;

  [[nodiscard]] std::size_t column_count() const { return nonbasic_.size(); }
  /// Forgets all paths that carry nothing; a path that carries much becomes home. The optimum stays.
  /// @return false when rounding stood in the way: begin anew
  [[nodiscard]] bool tidy();

 private:
  struct Path {
    std::uint32_t demand;
    std::uint32_t first, count;  // in path_links_
  };
  // Variables: 0 is the utilisation, then a slack a link, then a flow a path.
  static constexpr std::uint32_t kUtilization = 0;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] std::span<const std::uint32_t> links_of(const Path& path) const {
    return std::span{path_links_}.subspan(path.first, path.count);
  }
  [[nodiscard]] std::uint32_t variable(std::size_t path) const {
    return static_cast<std::uint32_t>(1 + link_count_ + path);
  }
  [[nodiscard]] double* row(std::size_t r) { return tableau_.data() + r * stride_; }
  [[nodiscard]] const double* row(std::size_t r) const { return tableau_.data() + r * stride_; }
  std::uint32_t hold(std::size_t demand, std::span<const std::uint32_t> links);
  void open();
  [[nodiscard]] Outcome begin();
  void reserve(std::size_t rows, std::size_t columns);
  void add_row(std::uint32_t basic, double value);
  void add_column(std::uint32_t path);
  void add_unit(std::uint32_t slack, double factor, std::size_t column);
  void find_values();
  void pivot(std::size_t r, std::size_t c);
  void step(std::size_t r, std::size_t c, bool moves);
  [[nodiscard]] Outcome restore();
  void note_prices();
  [[nodiscard]] double cost(std::span<const std::uint32_t> links) const;

  std::size_t link_count_;
  double unit_;                 // bits per second: flows are counted in the largest capacity
  std::vector<double> weight_;  // by link: utilisation a unit of flow
  std::vector<Path> paths_;
  std::vector<std::uint32_t> path_links_;
  std::vector<std::uint32_t> home_;    // by demand: path; kNone
  std::vector<std::uint32_t> others_;  // by demand: number of paths beside home
  std::vector<double> demand_;         // by demand, units

  std::size_t stride_ = 0;
  std::vector<double> tableau_;                    // [row][column]
  std::vector<double> value_;                      // by row: of the basic variable
  std::vector<std::uint32_t> basis_;               // by row: variable
  std::vector<std::uint32_t> nonbasic_;            // by column: variable
  std::vector<std::uint32_t> row_of_, column_of_;  // by variable; kNone
  std::vector<double> right_side_;                 // by variable: of the row that it was the slack of
  std::vector<double> prices_;
  std::vector<double> work_;
  bool priced_out_ = false;  // no path held would save anything: where the dual method may start
  std::size_t pivots_left_ = 0;
  std::size_t standing_ = 0;  // pivots in a row that changed nothing
  double tolerance_ = 0.0;
};

template <typename Put>
void PathSimplex::for_each_flow(const Put& put) const {
  for (std::size_t demand = 0; demand < home_.size(); ++demand) {
    if (home_[demand] == kNone || others_[demand] > 0) continue;
    if (demand_[demand] > 0.0) put(demand, links_of(paths_[home_[demand]]), demand_[demand] * unit_);
  }
  for (std::size_t r = 0; r < basis_.size(); ++r) {
    if (basis_[r] <= link_count_ || !(value_[r] > 0.0)) continue;
    const Path& path = paths_[basis_[r] - 1 - link_count_];
    put(path.demand, links_of(path), value_[r] * unit_);
  }
}

}  // namespace wan::controller
