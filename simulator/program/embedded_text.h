#pragma once

#include <string_view>

namespace wan::simulator {

// Files that the program carries inside; the build writes their text into embedded_text.cpp from embedded_text.cpp.in.

extern const std::string_view kBackboneDayScenario;  ///< simulator/scenarios/backbone-day.yaml
extern const std::string_view kReportPage;           ///< report/report.html, with places for what a run fills in
extern const std::string_view kReportStyle;          ///< report/report.css
extern const std::string_view kReportScript;         ///< report/*.js, joined

}  // namespace wan::simulator
