#pragma once

#include <string>
#include <string_view>

#include "controller/program/aiwanctl/failure.h"
#include "core/units.h"

namespace wan::aiwanctl {

struct DemandText {
  std::string from, to, cls;
  BitRate rate;
  bool operator==(const DemandText&) const = default;
};

/// Reads `FROM:TO:CLASS=RATE`, `ams:fra:gold=20Mbit/s`. @error kWrongUsage
[[nodiscard]] Outcome<DemandText> parse_demand(std::string_view text);

}  // namespace wan::aiwanctl
