#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

#include "core/random.h"
#include "simulator/program/scenario_inputs.h"

namespace wan::simulator {
namespace {

/// One seeded accident: bytes flipped or replaced by marks that mean something to YAML, a stretch cut, or repeated.
std::string mutated(std::string text, Rng& rng) {
  const std::size_t begin = rng.below(text.size());
  const std::size_t length = 1 + rng.below(std::min<std::size_t>(text.size() - begin, 60));
  switch (rng.below(5)) {
    case 0:
      for (std::uint64_t flips = 1 + rng.below(6); flips > 0; --flips) {
        text[rng.below(text.size())] ^= static_cast<char>(1 << rng.below(8));
      }
      return text;
    case 1: {
      constexpr std::string_view kMarks = "{}[]:,-?&*!|>'\"%@#\n\t \\";
      for (std::uint64_t marks = 1 + rng.below(4); marks > 0; --marks) {
        text[rng.below(text.size())] = kMarks[rng.below(kMarks.size())];
      }
      return text;
    }
    case 2:
      return text.substr(0, begin);
    case 3:
      return text.erase(begin, length);
    default:
      return text.insert(rng.below(text.size()), text.substr(begin, length));
  }
}

TEST_CASE("mutated scenarios give a sound scenario or one line that names file and line", "[scenario][mutation]") {
  constexpr int kMutants = 6000;
  std::ifstream file{std::string{WAN_SCENARIOS} + "/own-network.yaml"};
  const std::string sample{std::istreambuf_iterator<char>{file}, {}};
  REQUIRE_FALSE(sample.empty());
  int accepted = 0;
  for (int seed = 0; seed < kMutants; ++seed) {
    Rng rng{static_cast<std::uint64_t>(seed), "scenario mutation"};
    std::string text = mutated(sample, rng);
    if (rng.below(2) == 0 && !text.empty()) text = mutated(std::move(text), rng);
    INFO("seed " << seed << ", text:\n" << text);
    const auto scenario = parse_scenario(text, "file");
    if (scenario) {
      ++accepted;
      REQUIRE_FALSE(scenario->controllers.empty());
      REQUIRE(scenario->scale > 0.0);
      for (const ScenarioEvent& event : scenario->events) {
        REQUIRE_FALSE(event.targets.empty());
        REQUIRE_FALSE(event.label.empty());
      }
      continue;
    }
    const std::string& message = scenario.error().message;
    INFO(message);
    REQUIRE(scenario.error().code == ErrorCode::kBadInput);
    REQUIRE(message.starts_with("file:"));
    REQUIRE(message.size() > 10);
    REQUIRE(message[5] >= '1');
    REQUIRE(message[5] <= '9');
    REQUIRE(message.size() < 700);
    for (const char c : message) REQUIRE_FALSE((static_cast<unsigned char>(c) < 0x20 || c == 0x7f));
  }
  CHECK(accepted > 0);
  CHECK(accepted < kMutants);
}

}  // namespace
}  // namespace wan::simulator
