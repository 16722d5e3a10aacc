#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/traffic_matrix.h"
#include "models/expert_mix.h"
#include "models/expert_panel.h"

namespace wan::models {

/// How the experts did on one interval.
struct RowLosses {
  std::vector<float> losses;    ///< [pair][expert], as ExpertMix counts them
  double model_error = 0.0;     ///< sum of absolute errors of the mixture by priors, bit/s
  double baseline_error = 0.0;  ///< of the fitted EWMA
};

/// How the experts did on the newest intervals of a history, and what they say of the next one.
struct RecentLosses {
  std::vector<float> sums;                              ///< [pair][expert]
  std::shared_ptr<const std::vector<float>> forecasts;  ///< [pair][expert], bit/s; shared with the finder's memory
  std::size_t rows = 0;                                 ///< that could be judged
  /// The model errs more than the EWMA by over 5 %, more than chance explains (two standard errors), on the newest 24
  /// rows, of which at least 6 could be judged.
  bool drifted = false;
};

/// Judges the experts on a history's newest intervals, each forecast from those before it.
///
/// What it finds depends on the history alone. It keeps what it found for an interval, by a digest of all that this
/// rests on, because the next history will hold nearly the same intervals: one new interval a call, not 48.
/// Threads: `look_back` is reentrant.
class RecentLossFinder {
 public:
  static constexpr std::size_t kRowsMax = 48;

  /// How many intervals back are judged in a network of so many pairs: kRowsMax, fewer where what is kept of them would
  /// exceed 256 MiB.
  [[nodiscard]] static std::size_t rows_for(std::size_t pairs, std::size_t experts);

  /// @param history        oldest first, of the panel's network, not empty
  /// @param trained_until  intervals that began before it were trained on and say nothing
  [[nodiscard]] RecentLosses look_back(const ExpertPanel& panel, const ExpertMix& mix,
                                       std::span<const TrafficMatrix> history, Timestamp trained_until);

 private:
  /// What was found, by key; the oldest is dropped. Shared with calls that use it while it is dropped.
  template <typename Value>
  class Memory {
   public:
    [[nodiscard]] std::shared_ptr<const Value> find(std::uint64_t key);
    void keep(std::uint64_t key, const std::shared_ptr<const Value>& value, std::size_t kept_max);

   private:
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, std::shared_ptr<const Value>> kept_;  // guarded by mutex_
    std::deque<std::uint64_t> oldest_first_;                                // guarded by mutex_
  };

  struct Digested;
  [[nodiscard]] std::shared_ptr<const std::vector<float>> forecast_after(const ExpertPanel& panel,
                                                                         const Digested& history, std::size_t row);

  Memory<RowLosses> losses_;
  Memory<std::vector<float>> forecasts_;  // a network's answer is needed again when the interval has come
};

}  // namespace wan::models
