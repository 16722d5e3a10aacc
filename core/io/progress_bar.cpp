#include "core/io/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iostream>
#include <utility>

namespace wan::io {
namespace {

constexpr Duration kRedrawAfter = std::chrono::milliseconds{100};

std::string minutes_and_seconds(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + ':' + (rest.size() < 2 ? "0" : "") + rest;
}

}  // namespace

ProgressBar::ProgressBar(std::string label, const Clock& clock)
    : label_{std::move(label)},
      clock_{clock},
      on_terminal_{isatty(STDERR_FILENO) == 1},
      started_{clock.now()},
      drawn_{started_} {}

void ProgressBar::update(std::size_t done, std::size_t total) {
  if (!on_terminal_ || total == 0) return;
  const Duration now = clock_.now();
  if (visible_ && now - drawn_ < kRedrawAfter) return;
  drawn_ = now;
  visible_ = true;
  std::cerr << '\r' << progress_line(label_, std::min(done, total), total, now - started_) << "\033[K" << std::flush;
}

void ProgressBar::clear() {
  if (!visible_) return;
  visible_ = false;
  std::cerr << "\r\033[K" << std::flush;
}

std::string progress_line(std::string_view label, std::size_t done, std::size_t total, Duration spent) {
  assert(total > 0 && done <= total);
  constexpr std::size_t kWidth = 30;
  const double fraction = static_cast<double>(done) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(kWidth));
  std::string line{label};
  line += "  [" + std::string(filled, '#') + std::string(kWidth - filled, '-') + "]  ";
  line += std::to_string(static_cast<int>(fraction * 100.0)) + " %";
  if (done > 0) line += "  " + minutes_and_seconds(to_seconds(spent) * (1.0 - fraction) / fraction) + " left";
  return line;
}

}  // namespace wan::io
