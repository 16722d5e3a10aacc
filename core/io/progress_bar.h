#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/time.h"

namespace wan::io {

/// A line on standard error that shows how far a long job is and how long it will still take.
///
/// Draws only when standard error is a terminal: nothing reaches a pipe or a log. Removed from the screen by `clear` or
/// on destruction, so that what is printed afterwards stands alone.
/// Threads: one owner.
class ProgressBar {
 public:
  /// @param label  what is being done, e.g. "training"
  /// @param clock  outlives this
  ProgressBar(std::string label, const Clock& clock);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Cheap enough for every step of a loop: the screen is touched ten times a second at most.
  void update(std::size_t done, std::size_t total);
  void clear();

 private:
  std::string label_;
  const Clock& clock_;
  bool on_terminal_;
  Duration started_;
  Duration drawn_;
  bool visible_ = false;
};

/// The text of such a line: `training  [#####---------------]  25 %  0:12 left`.
///
/// @param done    at most `total`, which is above zero
/// @param spent   since the job began; the time left is foretold from it once something is done
[[nodiscard]] std::string progress_line(std::string_view label, std::size_t done, std::size_t total, Duration spent);

}  // namespace wan::io
