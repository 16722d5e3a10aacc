#pragma once

#include <ostream>
#include <vector>

#include "simulator/program/closed_loop.h"

namespace wan::simulator {

/// The table of controllers that `replay` and `run` print, with a line that says what the columns mean.
void print_summary(std::ostream& out, const std::vector<ControllerSummary>& summary);

}  // namespace wan::simulator
