#pragma once

#include <string>

#include "simulator/program/run_record.h"

namespace wan::simulator {

/// What a run shows, in a sentence or two: how long links were overloaded under the control loop and under the baseline
/// (`ospf` where it took part), or, where nothing was overloaded, how close they came. Plain text.
[[nodiscard]] std::string report_verdict(const RunRecord& run);

/// A page that shows a run: the verdict, utilisation over time, a map, tables of controllers, links and decisions.
///
/// One file that needs no network: style, script and data are inside. Names from outside files appear as text whatever
/// they hold. Numbers are rounded for the eye; the results database keeps them whole. Runs of over 400,000 utilisations
/// (intervals x controllers x links) show on the map every second, third, ... interval.
/// Equal records give equal pages. Cost: linear in the record; 0.4 MB for a day of 288 intervals, 5 controllers and 40
/// links.
[[nodiscard]] std::string report_html(const RunRecord& run);

}  // namespace wan::simulator
