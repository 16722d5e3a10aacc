#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "simulator/program/closed_loop.h"
#include "simulator/workload.h"

namespace wan::simulator {

/// A point in a traffic series as a scenario names it: `2016`, `2026-03-09T17:30:00Z` or `day 8 17:30`.
struct Moment {
  enum class Kind { kRow, kTime, kDay };
  Kind kind = Kind::kRow;
  std::size_t row = 0;                  ///< kRow; the first row is 0
  Timestamp time{};                     ///< kTime
  std::size_t day = 1;                  ///< kDay; the calendar day (UTC) on which the series begins is 1
  std::chrono::seconds time_of_day{0};  ///< kDay
  std::string key{};                    ///< where it stands, for messages
  std::size_t line = 1;
};

/// Something that fails or is repaired.
struct ScenarioEvent {
  Moment at;
  bool up = false;
  std::vector<std::string> targets;  ///< "A - B", "A > B", or a node's name
  std::string label;                 ///< never empty
  std::string key;                   ///< where `targets` stand, for messages
  std::size_t line = 1;
};

/// A scenario as its file gives it; docs/formats/scenario.md describes the YAML.
struct ScenarioFile {
  std::string file;  ///< its name, for messages
  std::string text;  ///< all of it, kept with the results
  std::string name;
  std::optional<std::filesystem::path> topology_file{};  ///< none: the built-in backbone
  std::optional<std::filesystem::path> traffic_file{};   ///< none: generated
  GeneratorOptions generator{};
  Moment score_from{};
  std::optional<Moment> score_to{};  ///< exclusive; none: the end of the series
  std::vector<ScenarioEvent> events{};
  std::vector<std::string> controllers = kControllerNames;
  double utilization_target = 0.0;
  double tail = 1.0;                      ///< of `risk`
  std::optional<double> change_weight{};  ///< none: the control loop's own
  double scale = 1.0;                     ///< of all traffic
  std::optional<std::filesystem::path> model{};
};

/// @error kNotFound, kIo, kBadInput: one line that begins with "FILE:LINE: KEY: " and says what is wrong and what is
///        allowed; keys that the format does not know are refused. Files that the scenario names are not looked at yet.
[[nodiscard]] Result<ScenarioFile> read_scenario(const std::filesystem::path& file);

/// The same on text in memory.
/// @param file    stands for the file in messages; paths in the text are relative to the folder it lies in
[[nodiscard]] Result<ScenarioFile> parse_scenario(std::string_view text, const std::filesystem::path& file);

}  // namespace wan::simulator
