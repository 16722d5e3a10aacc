#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "simulator/program/run_record.h"

namespace wan::simulator {

/// What the report's script draws from, rounded for the eye; report/report.js says what each field is.
/// Shapes: link utilisations by controller, by shown interval, by link, in thousandths.
[[nodiscard]] nlohmann::ordered_json report_data(const RunRecord& run);

/// The controller that a report is about: `scenario`, or the last one where it took no part.
[[nodiscard]] std::size_t report_subject(const RunRecord& run);
/// The controller that it is compared with: `ospf`, or the first that is not the subject; the subject if it is alone.
[[nodiscard]] std::size_t report_baseline(const RunRecord& run);

/// Which of the style's five colours a controller has: the same one in every report.
[[nodiscard]] std::size_t report_colour(const RunRecord& run, std::size_t controller);

/// JSON that may stand inside a script element: whatever a text holds, it cannot end the element or open another.
[[nodiscard]] std::string script_safe(const nlohmann::ordered_json& data);

}  // namespace wan::simulator
