#include "simulator/program/risk_argument.h"

#include <charconv>
#include <string>

#include "core/io/message_text.h"

namespace wan::simulator {

Result<double> parse_risk(std::string_view text) {
  constexpr std::string_view kTail = "cvar:";
  constexpr double kLeast = 0.001;
  if (text == "expected") return 1.0;
  if (text.starts_with(kTail)) {
    const std::string_view number = text.substr(kTail.size());
    double tail = 0.0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), tail);
    if (error == std::errc{} && end == number.data() + number.size() && tail >= kLeast && tail <= 1.0) return tail;
  }
  return fail(ErrorCode::kBadInput,
              io::in_quotes(std::string{text}) +
                  ": allowed are expected and cvar:ALPHA with ALPHA from 0.001 to 1, as in cvar:0.1");
}

}  // namespace wan::simulator
