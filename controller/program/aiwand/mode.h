#pragma once

#include <optional>
#include <string_view>

namespace wan::controller {

/// How much the daemon does by itself.
enum class Mode {
  kObserve,  ///< decides and records; nothing of it can be installed
  kAdvise,   ///< installs what an operator approves
  kAuto,     ///< installs
};

[[nodiscard]] constexpr std::string_view to_string(Mode mode) {
  return mode == Mode::kObserve ? "observe" : mode == Mode::kAdvise ? "advise" : "auto";
}

[[nodiscard]] constexpr std::optional<Mode> mode_named(std::string_view text) {
  for (const Mode mode : {Mode::kObserve, Mode::kAdvise, Mode::kAuto}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace wan::controller
