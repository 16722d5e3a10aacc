#include <catch2/catch.hpp>
#include <string>

#include "controller/program/aiwanctl/quantities.h"
#include "controller/program/aiwanctl/table.h"

namespace wan::aiwanctl {
namespace {

TEST_CASE("table columns line up by characters, not bytes, and end without spaces", "[aiwanctl]") {
  Table table{{{"NAME"}, {"RATE", true}, {"WHY"}}};
  table.add({{"zürich"}, {"5 Mbit/s"}, {"x"}});
  table.add({{"a"}, {"12.5 Gbit/s"}, {"a longer reason"}});
  CHECK(table.text(false) ==
        "NAME           RATE  WHY\n"
        "zürich     5 Mbit/s  x\n"
        "a       12.5 Gbit/s  a longer reason\n");
}

TEST_CASE("colours change no column", "[aiwanctl]") {
  Table table{{{"A"}, {"B", true}}};
  table.add({{"up", Tone::kGood}, {"1", Tone::kBad}});
  table.add({{"down", Tone::kBad}, {"10"}});
  std::string colored = table.text(true);
  CHECK(colored.find('\x1b') != std::string::npos);
  for (std::size_t at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b')) {
    colored.erase(at, colored.find('m', at) - at + 1);
  }
  CHECK(colored == table.text(false));
}

TEST_CASE("every number has a unit, and what is no number is a dash", "[aiwanctl]") {
  CHECK(shown_rate(Json(18.3e6)) == "18.3 Mbit/s");
  CHECK(shown_rate(Json(0)) == "0 bit/s");
  CHECK(shown_percent(Json(0.8236)) == "82.4 %");
  CHECK(shown_percent(Json(1.5)) == "150.0 %");
  CHECK(shown_seconds(Json(7200)) == "2 h");
  CHECK(shown_milliseconds(Json(2)) == "2 ms");
  CHECK(shown_count(Json(1), "packet") == "1 packet");
  CHECK(shown_count(Json(12), "packet") == "12 packets");
  for (const Json& nothing : {Json(), Json("5"), Json::array(), Json::object()}) {
    CHECK(shown_rate(nothing) == "-");
    CHECK(shown_percent(nothing) == "-");
    CHECK(shown_seconds(nothing) == "-");
    CHECK(shown_count(nothing, "packet") == "-");
  }
  CHECK(shown_seconds(Json(1e300)) != "-");  // beyond what a clock holds: no undefined conversion
}

TEST_CASE("a bar grows with its share and always has its width", "[aiwanctl]") {
  std::size_t filled_before = 0;
  for (int step = -1; step <= 12; ++step) {
    const std::string cells = bar(step / 10.0, 10);
    CHECK(columns_of(cells) == 10);
    const auto spaces = static_cast<std::size_t>(std::count(cells.begin(), cells.end(), ' '));
    CHECK(10 - spaces >= filled_before);
    filled_before = 10 - spaces;
  }
  CHECK(bar(0.0, 4) == "    ");
  CHECK(bar(1.0, 4) == "████");
  CHECK(bar(0.5, 3) == "█▌ ");
}

TEST_CASE("utilisation turns from good over warning to bad", "[aiwanctl]") {
  CHECK(tone_of_utilization(Json(0.69)) == Tone::kGood);
  CHECK(tone_of_utilization(Json(0.7)) == Tone::kWarning);
  CHECK(tone_of_utilization(Json(1.0)) == Tone::kBad);
  CHECK(tone_of_utilization(Json()) == Tone::kFaint);
}

}  // namespace
}  // namespace wan::aiwanctl
