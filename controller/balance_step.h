#pragma once

#include <cstddef>
#include <vector>

namespace wan::controller {

/// How far to move along a line on which some prices rise and others fall: the step at which both sides weigh the same.
///
///     sum over rising (gain e^(rate x))  =  sum over falling (gain e^(-rate x)) - constant
///
/// The left side is what links gain that the traffic moves to, the right side what those save that it leaves.
/// Threads: one owner; kept between steps for its memory.
class BalanceStep {
 public:
  /// @param constant  added to the left side: what the move costs however far it goes (delay); any sign
  void start(double constant);
  void add_rising(double gain, double rate);   ///< both above zero
  void add_falling(double gain, double rate);  ///< both above zero

  /// @return  the step in [0, step_max] at which both sides are within 2 % of each other: 0 when the left is the larger
  ///          one from the start, step_max when it is the smaller one to the end
  /// Cost: 2 to 5 exponentials a term. Source: Newton's method on the logarithm of the ratio, kept in a bracket; for
  ///       two lone exponentials one step is exact.
  [[nodiscard]] double solve(double step_max) const;

 private:
  struct Sums {
    double plain = 0.0;
    double by_rate = 0.0;
  };
  struct Side {
    std::vector<double> gain, rate;
    Sums at_start;

    void clear();
    void add(double one_gain, double one_rate);
    [[nodiscard]] Sums at(double step) const;
  };
  /// ln(left / right), negative while the step pays, and its derivative.
  struct Balance {
    double value;
    double slope;
  };
  [[nodiscard]] Balance balance_of(Sums left, Sums right) const;

  Side rising_, falling_;
  double constant_ = 0.0;
};

}  // namespace wan::controller
