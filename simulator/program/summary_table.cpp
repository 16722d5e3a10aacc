#include "simulator/program/summary_table.h"

#include <iomanip>

namespace wan::simulator {

void print_summary(std::ostream& out, const std::vector<ControllerSummary>& summary) {
  out << std::left << std::setw(10) << "controller" << std::right << std::setw(10) << "mlu/opt" << std::setw(9) << "p50"
      << std::setw(9) << "p99" << std::setw(9) << "max" << std::setw(10) << "peak mlu" << std::setw(12) << "overload"
      << std::setw(11) << "delivered" << std::setw(10) << "stretch" << std::setw(9) << "churn" << std::setw(7)
      << "paths" << std::setw(12) << "decide p50" << std::setw(9) << "p99" << '\n';
  out << std::left << std::setw(10) << "" << std::right << std::setw(10) << "mean" << std::setw(9) << "" << std::setw(9)
      << "" << std::setw(9) << "" << std::setw(10) << "" << std::setw(12) << "link-min" << std::setw(11) << "%"
      << std::setw(10) << "mean" << std::setw(9) << "%" << std::setw(7) << "max" << std::setw(12) << "ms"
      << std::setw(9) << "ms" << '\n';
  for (const ControllerSummary& row : summary) {
    out << std::left << std::setw(10) << row.name << std::right << std::fixed << std::setprecision(3) << std::setw(10)
        << row.ratio_mean << std::setw(9) << row.ratio_p50 << std::setw(9) << row.ratio_p99 << std::setw(9)
        << row.ratio_max << std::setw(10) << row.mlu_max << std::setprecision(0) << std::setw(12)
        << row.overload_link_minutes << std::setprecision(3) << std::setw(11) << 100.0 * row.delivered_share
        << std::setw(10) << row.delay_stretch_mean << std::setprecision(2) << std::setw(9) << 100.0 * row.churn_mean
        << std::setw(7) << row.paths_per_demand_max << std::setw(12) << row.decide_ms_p50 << std::setw(9)
        << row.decide_ms_p99 << '\n'
        << std::defaultfloat;
  }
  out << "mlu/opt: largest link utilisation over the exact optimum of the same interval; stretch: path delay over the "
         "shortest possible\n";
}

}  // namespace wan::simulator
