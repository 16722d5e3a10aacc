#include "core/time.h"

#include <catch2/catch.hpp>

using namespace wan;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kMarchFirst2004 = 1078099200;  // 2004-03-01T00:00:00Z, from `date -u +%s`

std::int64_t unix_seconds(std::string_view text) {
  const auto time = parse_timestamp(text);
  REQUIRE(time.has_value());
  return time->time_since_epoch().count();
}

}  // namespace

TEST_CASE("times are read in each of their forms", "[time]") {
  for (const std::string_view text : {"2004-03-01T00:00:00Z", "2004-03-01 00:00:00", "2004-03-01T00:00", "2004-03-01",
                                      "2004-03-01T01:00:00+01:00", "2004-02-29T19:30:00-04:30", "1078099200"}) {
    INFO(text);
    CHECK(unix_seconds(text) == kMarchFirst2004);
  }
  CHECK(unix_seconds("0") == 0);
  CHECK(unix_seconds("2000-02-29") == 951782400);  // a leap year, though divisible by 100
}

TEST_CASE("what is no time is refused", "[time]") {
  for (const std::string_view text : {"",
                                      " ",
                                      "now",
                                      "2004-3-1",
                                      "2003-02-29",
                                      "1900-02-29",
                                      "2004-13-01",
                                      "2004-00-10",
                                      "2004-03-32",
                                      "2004-03-01T24:00:00Z",
                                      "2004-03-01T00:60:00Z",
                                      "2004-03-01T00:00:60Z",
                                      "2004-03-01T00:00:00X",
                                      "2004-03-01T00:00:00Z ",
                                      "2004-03-01T00",
                                      "2004-03-01T00:00:00+1",
                                      "2004-03-01T00:00:00+24:00",
                                      "-5",
                                      "+5",
                                      "1.5",
                                      "1e9",
                                      "99999999999999",
                                      "9999999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text).has_value());
  }
}

TEST_CASE("a time that is written is read back", "[time]") {
  CHECK(format_timestamp(Timestamp{seconds{kMarchFirst2004}}) == "2004-03-01T00:00:00Z");
  for (const std::int64_t second : {0LL, 1LL, 86399LL, 951782400LL, 4107542399LL, 253402300799LL}) {
    const Timestamp time{seconds{second}};
    CHECK(parse_timestamp(format_timestamp(time)) == time);
  }
}

TEST_CASE("the steady clock does not go back", "[time]") {
  const SteadyClock clock;
  const Duration first = clock.now();
  CHECK(clock.now() >= first);
}
