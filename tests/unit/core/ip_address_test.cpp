#include "core/ip_address.h"

#include <catch2/catch.hpp>

#include "core/random.h"

using namespace wan;

namespace {

IpAddress drawn_address(Rng& rng) {
  if (rng.below(4) == 0) {
    std::array<std::uint8_t, 4> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.below(256));
    return IpAddress::v4(bytes);
  }
  // Many zero groups, so that every place and length of the gap comes up.
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t group = 0; group < 8; ++group) {
    const std::uint64_t value = rng.below(2) == 0 ? 0 : rng.below(3) == 0 ? rng.below(16) : rng.below(65'536);
    bytes[2 * group] = static_cast<std::uint8_t>(value >> 8);
    bytes[2 * group + 1] = static_cast<std::uint8_t>(value & 0xff);
  }
  return IpAddress::v6(bytes);
}

}  // namespace

TEST_CASE("IPv6 addresses are written as RFC 5952 asks", "[ip]") {
  // Written form, then what it must become: section 4 of the RFC, and the examples of sections 1 and 2.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"2001:0db8::0001", "2001:db8::1"},                // 4.1 leading zeros
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},         // 4.2.1 shorten as much as possible
      {"2001:db8::0:1", "2001:db8::1"},                  // 4.2.1
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2 one group is not shortened
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},   // 4.2.2
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // 4.2.3 the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // 4.2.3 the first of equals
      {"2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},  // 4.3 lower case
      {"2001:db8::aaaa:0:0:1", "2001:db8::aaaa:0:0:1"},                                // 1
      {"::", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"::ffff:192.0.2.1", "::ffff:c000:201"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
  };
  for (const auto& [written, wanted] : cases) {
    INFO(written);
    const auto address = IpAddress::parse(written);
    REQUIRE(address);
    CHECK(address->is_v6());
    CHECK(address->to_string() == wanted);
  }
}

TEST_CASE("what is no address is refused", "[ip]") {
  for (const std::string_view text : {"",
                                      ":",
                                      ":::",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1..3.4",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.+4",
                                      "0x1.2.3.4",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "::1::",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1:2:3:4:5:6:7:8",
                                      "fe80::1%eth0",
                                      "1.2.3.4::",
                                      "::1.2.3",
                                      "::01.2.3.4",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::1.2.3.4:5",
                                      ":1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:",
                                      "[::1]",
                                      "::1/64",
                                      "::-1",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:00000000000000"}) {
    INFO(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
}

TEST_CASE("an address that is written is read back, whatever it is", "[ip]") {
  Rng rng{5, "addresses"};
  for (int i = 0; i < 20'000; ++i) {
    const IpAddress address = drawn_address(rng);
    const std::string text = address.to_string();
    INFO(text);
    REQUIRE(IpAddress::parse(text) == address);
    const std::size_t length = rng.below(address.size() * 8 + 1);
    const IpPrefix prefix{address.masked(length), static_cast<std::uint8_t>(length)};
    REQUIRE(IpPrefix::parse(prefix.to_string()) == prefix);
    REQUIRE(prefix.contains(address));
  }
}

TEST_CASE("a mask keeps exactly the bits it counts", "[ip]") {
  Rng rng{6, "addresses"};
  for (int i = 0; i < 2'000; ++i) {
    const IpAddress address = drawn_address(rng);
    const std::size_t length = rng.below(140);
    const IpAddress masked = address.masked(length);
    CHECK(masked.family() == address.family());
    for (std::size_t bit = 0; bit < 128; ++bit) {
      const auto bit_of = [bit](const IpAddress& of) { return (of.bytes()[bit / 8] >> (7 - bit % 8)) & 1; };
      REQUIRE(bit_of(masked) == (bit < length ? bit_of(address) : 0));
    }
  }
}

TEST_CASE("a prefix is read with its length, and refused when bits are set beyond it", "[ip]") {
  CHECK(IpPrefix::parse("10.0.0.0/8")->to_string() == "10.0.0.0/8");
  CHECK(IpPrefix::parse("192.0.2.1")->to_string() == "192.0.2.1/32");
  CHECK(IpPrefix::parse("2001:db8::1")->to_string() == "2001:db8::1/128");
  CHECK(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("255.1.2.3")));
  CHECK_FALSE(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
  CHECK(IpPrefix::parse("::/0")->contains(*IpAddress::parse("ff::1")));
  CHECK(IpPrefix::parse("10.64.0.0/10")->contains(*IpAddress::parse("10.127.255.255")));
  CHECK_FALSE(IpPrefix::parse("10.64.0.0/10")->contains(*IpAddress::parse("10.128.0.0")));
  for (const std::string_view text :
       {"10.0.0.1/8", "2001:db8::1/64", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "",
        "10.0.0.0/ 8", "::/x", "0.0.0.0/999999999999"}) {
    INFO(text);
    CHECK_FALSE(IpPrefix::parse(text));
  }
}

TEST_CASE("IPv4 addresses stand before IPv6 ones, each by their bytes", "[ip]") {
  CHECK(*IpAddress::parse("255.255.255.255") < *IpAddress::parse("::"));
  CHECK(*IpAddress::parse("1.2.3.4") < *IpAddress::parse("1.2.4.0"));
  CHECK(*IpAddress::parse("2001:db8::1") < *IpAddress::parse("2001:db8::2"));
  CHECK(*IpPrefix::parse("10.0.0.0/8") < *IpPrefix::parse("10.0.0.0/9"));
}
