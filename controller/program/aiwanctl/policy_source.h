#pragma once

#include <istream>
#include <string>
#include <string_view>

#include "controller/program/aiwanctl/failure.h"

namespace wan::aiwanctl {

/// A policy file as it goes to the daemon, which alone can check it: names in it belong to its network.
struct PolicyText {
  std::string text;
  std::string name;  ///< stands for the file in the daemon's messages
  bool operator==(const PolicyText&) const = default;
};

/// @param file  `-`: all of `standard_input`
/// @error kNotFound is told as kError: a file is no thing of the daemon's. Also over 1 MiB, no text in UTF-8
[[nodiscard]] Outcome<PolicyText> read_policies(const std::string& file, std::istream& standard_input);

/// What `apply` needs of a plan that `plan` saved.
struct SavedPlan {
  PolicyText policies;
  std::string state;  ///< what the plan was made for
  bool operator==(const SavedPlan&) const = default;
};

inline constexpr std::string_view kSavedPlanFormat = "aiwan-saved-plan-1";

/// @error kError: not readable, or no saved plan of this version
[[nodiscard]] Outcome<SavedPlan> read_saved_plan(const std::string& file);
/// The same from a file's text. @param name  stands for the file in messages
[[nodiscard]] Outcome<SavedPlan> parse_saved_plan(std::string_view text, std::string_view name);

}  // namespace wan::aiwanctl
