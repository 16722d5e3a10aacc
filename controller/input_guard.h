#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct InputGuardOptions {
  double level_factor = 2.0;        ///< a demand may exceed its training maximum this many times
  double jump_factor = 2.0;         ///< and its largest jump in training this many times
  double wild_jump_factor = 20.0;   ///< a jump this many times its largest is implausible at any level that matters
  double intervals_late_max = 2.5;  ///< age of a matrix, in intervals, beyond which it is stale; as far ahead, forged
};

/// What is implausible about a matrix.
struct InputFault {
  enum class Kind {
    kShape,       ///< not a matrix of this network
    kTime,        ///< stale, repeated or from the future
    kSpike,       ///< a demand far above what it ever was
    kSilence,     ///< a node without traffic that always had some
    kStandstill,  ///< a node whose traffic repeats to the last digit
  };
  Kind kind = Kind::kShape;
  std::string text;  ///< for the operator: what, where, and what was usual

  /// Whether real traffic looks like this too, so that what lasts is to be believed in the end.
  [[nodiscard]] bool may_be_real() const { return kind == Kind::kSpike || kind == Kind::kSilence; }
};

/// Tells traffic that the training days make plausible from a broken or forged measurement.
///
/// Implausible are: a demand far above both its training level and its training jumps; a node whose traffic stands
/// still to the last digit for longer than it ever did in training; a node that falls silent; a matrix that is stale,
/// lies in the future, repeats an earlier time or is of another shape. A jump is measured against the largest of the
/// newest `kJumpWindow` intervals.
///
/// Threads: one owner calls `fit`, `learn`, `record` and `accept_level`; the others are const.
class InputGuard {
 public:
  static constexpr std::size_t kJumpWindow = 12;

  /// @param training  oldest first; with fewer than 24 intervals only shape, age and non-finite numbers are checked
  static InputGuard fit(const Topology& topology, std::span<const TrafficMatrix> training, Duration interval,
                        const InputGuardOptions& options);

  /// What is implausible about `latest`; nothing when all is well.
  [[nodiscard]] std::optional<InputFault> fault(const TrafficMatrix& latest, Timestamp now) const;
  /// Whether a matrix of this time may be taken note of: one from the future would make all that follow look old.
  [[nodiscard]] bool in_time(const TrafficMatrix& latest, Timestamp now) const;
  /// Shape, numbers, level and jumps alone, for a forecast.
  [[nodiscard]] std::optional<InputFault> demand_fault(const TrafficMatrix& matrix) const;

  /// Takes note of a measured matrix. `believed` says whether it counts as what traffic was (or a forecast stands in
  /// for it).
  void record(const TrafficMatrix& measured, const TrafficMatrix& believed);
  /// Widens what is usual by a matrix that is believed, before it is recorded: traffic grows and the guard with it.
  void learn(const TrafficMatrix& believed);
  /// A level that lasted is the new usual: demands this high and nodes this silent are no longer faults.
  void accept_level(const TrafficMatrix& matrix);

 private:
  struct PairLimits {
    double level_max_bps = 0.0;
    double floor_bps = 0.0;  // below this, jumps are noise
    double jump_max = 1.0;
  };

  [[nodiscard]] std::optional<InputFault> shape_fault(const TrafficMatrix& matrix) const;
  [[nodiscard]] std::optional<InputFault> silence_fault(const TrafficMatrix& latest) const;
  [[nodiscard]] std::optional<InputFault> standstill_fault(const TrafficMatrix& latest) const;
  [[nodiscard]] double recent_max_bps(std::size_t pair) const;

  InputGuardOptions options_;
  Duration interval_{0};
  std::vector<std::string> node_names_;
  std::size_t node_count_ = 0;
  std::optional<std::size_t> class_count_;  // of the training; nothing without training
  bool fitted_ = false;
  std::vector<PairLimits> limits_;           // by pair of all classes summed
  std::vector<std::size_t> standstill_max_;  // by node: longest exact repetition in training
  std::vector<double> node_min_bps_;         // by node: least total sent in training
  std::vector<double> node_in_min_bps_;

  std::vector<std::vector<double>> recent_;  // newest kJumpWindow believed matrices
  TrafficMatrix last_measured_;
  bool has_last_ = false;
  std::vector<std::size_t> standstill_;  // by node: intervals its traffic has stood still by now
};

}  // namespace wan::controller
