#include "controller/program/aiwanctl/demand_text.h"

#include "core/io/message_text.h"
#include "core/io/quantity_text.h"

namespace wan::aiwanctl {

Outcome<DemandText> parse_demand(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return failed({.exit_code = ExitCode::kWrongUsage,
                   .what = io::joined(io::in_quotes(text), " is no demand: ", why),
                   .where = "--demand",
                   .next = "write it as ams:fra:gold=20Mbit/s"});
  };
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos) return refused("the = before its rate is missing");
  const std::string_view names = text.substr(0, equals);
  const std::size_t first = names.find(':');
  const std::size_t second = first == std::string_view::npos ? first : names.find(':', first + 1);
  if (second == std::string_view::npos || names.find(':', second + 1) != std::string_view::npos) {
    return refused("it has three names, FROM:TO:CLASS");
  }
  DemandText demand{.from = std::string{names.substr(0, first)},
                    .to = std::string{names.substr(first + 1, second - first - 1)},
                    .cls = std::string{names.substr(second + 1)},
                    .rate = {}};
  if (demand.from.empty() || demand.to.empty() || demand.cls.empty()) return refused("a name is missing");
  const auto rate = io::parse_bit_rate(text.substr(equals + 1));
  if (!rate) return refused("a rate is above zero and has a unit, bit/s to Tbit/s");
  demand.rate = *rate;
  return demand;
}

}  // namespace wan::aiwanctl
