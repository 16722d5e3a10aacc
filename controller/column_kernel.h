#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wan::controller {

/// Utilisations in several columns that count together: one column for each priority level, a row a link.
///
/// The soft maximum runs over all entries of all columns, each in units of its column's limit:
///     (1 / eta) ln sum over columns j and links l of exp(eta u[j][l] / limit[j])
struct UtilizationColumns {
  UtilizationColumns(std::size_t column_count, std::size_t link_count);

  std::size_t links;
  std::vector<std::vector<double>> utilization;  ///< [column][link]
  std::vector<double> scale;                     ///< by column: 1 / limit; 0: the column does not count
  double eta = 1.0;

  [[nodiscard]] std::size_t size() const { return utilization.size(); }
  [[nodiscard]] double highest(std::size_t column) const;
  /// The largest utilisation / limit.
  [[nodiscard]] double worst() const;
  /// Gradient of the soft maximum by utilisation, [column][link]; the columns' sums, each times its limit, add up to 1.
  void gradient(std::vector<std::vector<double>>& out) const;
  /// The step in [0, 1] that minimises soft maximum + step x slope when every column from `first` on gets
  /// step x change[link]; within 2 %, from below.
  [[nodiscard]] double best_step(std::size_t first, std::span<const double> change, double slope) const;

  /// The same two under (1 / eta) sum exp(eta (u[j][l] / limit[j] - 1)): here a limit may be touched and hardly passed.
  void barrier_gradient(std::vector<std::vector<double>>& out) const;
  [[nodiscard]] double barrier_step(std::size_t first, std::span<const double> change, double slope) const;

 private:
  double exponentials_into(std::vector<std::vector<double>>& out, double shift) const;
  /// Sums of exponentials and of their products with the change, where the step leads.
  struct Along {
    double plain = 0.0;
    double weighted = 0.0;
  };
  [[nodiscard]] Along along(std::size_t first, std::span<const double> change, double step, double shift) const;
};

}  // namespace wan::controller
