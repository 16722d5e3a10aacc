#pragma once

#include <cstddef>
#include <span>

namespace wan::models {

/// Whether two forecasters, tried on the same rows, differ by more than chance.
struct PairedTest {
  double mean_difference = 0.0;  ///< of the losses: below zero where the first forecaster is better
  double statistic = 0.0;        ///< the mean over its standard error
  double p_value = 1.0;          ///< two-sided
};

/// Diebold and Mariano's test on the differences of two forecasters' losses, row by row.
///
/// @param differences  loss of the first minus loss of the second, consecutive rows; fewer than 8 tell nothing
/// @param horizon      how many intervals ahead the forecasts were made, at least 1
/// Source: Diebold and Mariano, "Comparing Predictive Accuracy", JBES 1995. The variance of the mean is Newey and
/// West's (Econometrica 1987; Bartlett weights, lags max(horizon - 1, 4 (n / 100)^(2/9))), because the errors of
/// neighbouring rows go together; small samples by Harvey, Leybourne and Newbold (IJF 1997): Student's t with n - 1
/// degrees.
[[nodiscard]] PairedTest diebold_mariano(std::span<const double> differences, std::size_t horizon);

/// P(T > |t|) + P(T < -|t|) of Student's distribution with that many degrees of freedom (above zero).
[[nodiscard]] double two_sided_student(double t, double degrees);

}  // namespace wan::models
