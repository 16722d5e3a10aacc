#include "core/io/quantity_text.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/io/nearest_names.h"
#include "core/random.h"

using namespace wan;
using namespace wan::io;

TEST_CASE("rates, times and sizes are read in all their units", "[io]") {
  CHECK(parse_bit_rate("20 Mbit/s") == BitRate::mbps(20));
  CHECK(parse_bit_rate("1.5Gbit/s") == BitRate::gbps(1.5));
  CHECK(parse_bit_rate(" 1 bit/s ") == BitRate::bps(1));
  CHECK(parse_bit_rate("3 kbit/s") == BitRate::kbps(3));
  CHECK(parse_bit_rate("2 Tbit/s") == BitRate::gbps(2000));
  CHECK(parse_bit_rate("1e3 Mbit/s") == BitRate::gbps(1));
  CHECK(parse_duration("250 ms") == std::chrono::milliseconds{250});
  CHECK(parse_duration("0 s") == Duration{0});
  CHECK(parse_duration("1.5 h") == std::chrono::minutes{90});
  CHECK(parse_duration("3m") == std::chrono::minutes{3});
  CHECK(parse_duration("3 min") == std::chrono::minutes{3});
  CHECK(parse_duration("2 d") == std::chrono::hours{48});
  CHECK(parse_duration("7 ns") == Duration{7});
  CHECK(parse_duration("7 us") == std::chrono::microseconds{7});
  CHECK(parse_duration("10000 d") == std::chrono::hours{240'000});
  CHECK(parse_byte_size("64 MiB") == 67'108'864U);
  CHECK(parse_byte_size("1500 B") == 1500U);
  CHECK(parse_byte_size("1.5 KiB") == 1536U);
  CHECK(parse_byte_size("0B") == 0U);
  CHECK(parse_byte_size("2 GB") == 2'000'000'000U);
}

TEST_CASE("a quantity without a unit, with another one, or out of range is refused", "[io]") {
  for (const std::string_view text :
       {"", "20", "Mbit/s", "20 mbit/s", "20 MB", "0 bit/s", "-1 Mbit/s", "1e19 bit/s", "nan bit/s", "inf bit/s",
        "1 Mbit/s x", "1,5 Mbit/s", "1 2 Mbit/s", "0x10 bit/s"}) {
    INFO(text);
    CHECK_FALSE(parse_bit_rate(text));
  }
  for (const std::string_view text :
       {"", "5", "-1 s", "10001 d", "1e30 s", "1 S", "1 hour", "ms", "1 s 2 ms", "1e s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
  for (const std::string_view text : {"", "5", "0.5 B", "-1 B", "1e16 B", "1 kB/s", "1 mib", "1.0000001 KiB"}) {
    INFO(text);
    CHECK_FALSE(parse_byte_size(text));
  }
}

TEST_CASE("quantities are written shortly, in the unit that fits", "[io]") {
  CHECK(format_bit_rate(BitRate::mbps(18.3)) == "18.3 Mbit/s");
  CHECK(format_bit_rate(BitRate::mbps(18)) == "18 Mbit/s");
  CHECK(format_bit_rate(BitRate::gbps(1)) == "1 Gbit/s");
  CHECK(format_bit_rate(BitRate::mbps(999.9)) == "1 Gbit/s");
  CHECK(format_bit_rate(BitRate::mbps(123.4)) == "123 Mbit/s");
  CHECK(format_bit_rate(BitRate::bps(0)) == "0 bit/s");
  CHECK(format_bit_rate(BitRate::mbps(-2.5)) == "-2.5 Mbit/s");
  CHECK(format_duration(std::chrono::milliseconds{250}) == "250 ms");
  CHECK(format_duration(std::chrono::milliseconds{1500}) == "1.5 s");
  CHECK(format_duration(std::chrono::hours{2}) == "2 h");
  CHECK(format_duration(std::chrono::minutes{1}) == "1 min");
  CHECK(format_duration(Duration{0}) == "0 ns");
}

TEST_CASE("a quantity that is written is read back to its three digits", "[io]") {
  Rng rng{8, "quantities"};
  for (int i = 0; i < 5'000; ++i) {
    const double bps = std::pow(10.0, rng.uniform() * 14.0);
    const auto rate = parse_bit_rate(format_bit_rate(BitRate::bps(bps)));
    INFO(bps << " bit/s, " << format_bit_rate(BitRate::bps(bps)));
    REQUIRE(rate);
    CHECK(std::abs(rate->bps() - bps) <= 5.1e-3 * bps);
    const Duration time{static_cast<std::int64_t>(std::pow(10.0, rng.uniform() * 17.0))};
    const auto read = parse_duration(format_duration(time));
    INFO(format_duration(time));
    REQUIRE(read);
    CHECK(std::abs(to_seconds(*read) - to_seconds(time)) <= 5.1e-3 * to_seconds(time));
  }
}

TEST_CASE("the names that an operator most likely meant stand first", "[io]") {
  const std::vector<std::string> names{
      "Berlin", "ams", "amstelveen", "fra", "core7", "core8", "a-very-long-name-for-a-node"};
  CHECK(nearest_names("bern", names, 1) == "Berlin and 6 more");
  CHECK(nearest_names("AMS", names, 2) == "ams, amstelveen and 5 more");
  CHECK(nearest_names("core9", names, 2) == "core7, core8 and 5 more");
  CHECK(nearest_names("fra", {names.data(), 4}) == "fra, ams, Berlin, amstelveen");
  CHECK(nearest_names("x", {}) == "none");
  CHECK(nearest_names("", {names.data() + 1, 1}) == "ams");
  CHECK(nearest_names(std::string(100'000, 'x'), {names.data() + 1, 1}) == "ams");
}
