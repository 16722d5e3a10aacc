#include "simulator/program/path_limits.h"

#include <nlohmann/json.hpp>

namespace wan::simulator {
namespace {

constexpr std::size_t kPathsUnlimited = 1'000'000;

}  // namespace

controller::FewPathsOptions few_paths_options(const io::PlanLimits& limits, double gap) {
  controller::FewPathsOptions options{.gap = gap};
  options.paths_max = limits.paths_max.value_or(kPathsUnlimited);
  options.sid_depth = limits.sid_depth;
  return options;
}

std::string limits_text(const io::PlanLimits& limits) {
  std::string text;
  if (limits.paths_max) text += std::to_string(*limits.paths_max) + " paths a demand";
  if (limits.paths_max && limits.sid_depth) text += " and ";
  if (limits.sid_depth) text += std::to_string(*limits.sid_depth) + " segments a path";
  return text;
}

void add_limits(nlohmann::ordered_json& document, const io::PlanLimits& limits) {
  document["paths_max"] = limits.paths_max ? nlohmann::ordered_json(*limits.paths_max) : nullptr;
  document["sid_depth"] = limits.sid_depth ? nlohmann::ordered_json(*limits.sid_depth) : nullptr;
}

}  // namespace wan::simulator
