#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace wan::aiwanctl {

/// What may stand where the cursor is.
struct Suggestions {
  std::vector<std::string> words;
  bool files = false;  ///< any file of the user's, too
  bool operator==(const Suggestions&) const = default;
};

/// The daemon's names of one kind, `nodes`, `links`, `plans` or `decisions`; empty when it cannot be asked.
using LiveNames = std::function<std::vector<std::string>(std::string_view kind)>;

/// Completes a command line of `app`, from what its commands and options say of themselves: choices in their help,
/// FILE, LINK|NODE or DECISION as a type.
///
/// @param words  after the program's name; the last one, possibly empty, is to be completed
[[nodiscard]] Suggestions suggest(const CLI::App& app, std::span<const std::string> words, const LiveNames& live_names);

/// A script that teaches `bash`, `zsh` or `fish` to ask `aiwanctl __complete WORDS...`; empty for another shell.
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace wan::aiwanctl
