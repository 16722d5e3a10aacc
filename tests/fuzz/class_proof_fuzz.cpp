#include <cmath>
#include <sstream>
#include <string>

#include "simulator/program/class_proof.h"
#include "tests/fuzz/expectations.h"
#include "tests/fuzz/networks.h"

namespace {

void expect_prices(const std::vector<double>& prices) {
  wan::fuzz::expect(prices.size() == 4, "a price for each link");
  for (const double price : prices) wan::fuzz::expect(std::isfinite(price), "finite prices");
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using wan::fuzz::expect;
  std::istringstream text{std::string{reinterpret_cast<const char*>(data), size}};
  const auto proof = wan::simulator::parse_class_proof(text, "input", wan::fuzz::diamond());
  if (!proof) {
    wan::fuzz::expect_good_message(proof.error());
    return 0;
  }
  if (!*proof) return 0;
  for (const auto& level : (*proof)->levels) {
    for (const auto& prices : level.duals) expect_prices(prices);
  }
  for (const auto& round : (*proof)->rounds) {
    expect(round.level < (*proof)->levels.size(), "levels exist");
    expect_prices(round.duals);
  }
  for (const auto& entry : (*proof)->admitted) {
    expect(entry.round < (*proof)->rounds.size(), "rounds exist");
    expect(entry.demand.from.index() < 4 && entry.demand.to.index() < 4, "nodes exist");
    expect(std::isfinite(entry.fraction), "finite fractions");
  }
  return 0;
}
