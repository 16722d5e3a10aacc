#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "controller/program/aiwanctl/daemon_client.h"
#include "controller/program/aiwanctl/demand_text.h"
#include "controller/program/aiwanctl/policy_source.h"
#include "controller/program/aiwanctl/server_address.h"
#include "core/random.h"

namespace wan::aiwanctl {
namespace {

TEST_CASE("a server is a UNIX socket or plain HTTP", "[aiwanctl]") {
  CHECK(parse_server_address("unix:/run/a b") == ServerAddress{.socket = "/run/a b", .host = {}, .port = 0});
  CHECK(parse_server_address("http://10.0.0.1:8420") == ServerAddress{.socket = {}, .host = "10.0.0.1", .port = 8420});
  CHECK(parse_server_address("http://wan.example/") == ServerAddress{.socket = {}, .host = "wan.example", .port = 80});
  CHECK(parse_server_address("http://[2001:db8::1]:80") ==
        ServerAddress{.socket = {}, .host = "2001:db8::1", .port = 80});
  for (const char* wrong : {"", "/run/aiwan.sock", "unix:", "http://", "http://:80", "http://a:0", "http://a:65536",
                            "http://a:8x", "http://a:", "http://a b", "http://a/v1", "http://[::1", "http://[::1]80",
                            "http://u@h", "https://a", "ftp://a", "http://a\n:80"}) {
    CAPTURE(wrong);
    const auto address = parse_server_address(wrong);
    REQUIRE_FALSE(address.has_value());
    CHECK(address.error().exit_code == ExitCode::kWrongUsage);
    CHECK_FALSE(address.error().next.empty());
  }
  CHECK(parse_server_address(std::string{"unix:"}.append(107, 'a')).has_value());
  CHECK_FALSE(parse_server_address(std::string{"unix:"}.append(108, 'a')).has_value());
}

TEST_CASE("a demand to simulate has three names and a rate with its unit", "[aiwanctl]") {
  CHECK(parse_demand("ams:fra:gold=20Mbit/s") ==
        DemandText{.from = "ams", .to = "fra", .cls = "gold", .rate = BitRate::mbps(20)});
  CHECK(parse_demand("a:b:x=y=1 Gbit/s") == DemandText{.from = "a", .to = "b", .cls = "x=y", .rate = BitRate::gbps(1)});
  for (const char* wrong : {"", "=", "a:b=1bit/s", "a:b:c:d=1bit/s", ":b:c=1bit/s", "a::c=1bit/s", "a:b:=1bit/s",
                            "a:b:c", "a:b:c=", "a:b:c=20", "a:b:c=0bit/s", "a:b:c=-1bit/s", "a:b:c=1Mbps"}) {
    CAPTURE(wrong);
    const auto demand = parse_demand(wrong);
    REQUIRE_FALSE(demand.has_value());
    CHECK(demand.error().exit_code == ExitCode::kWrongUsage);
  }
}

TEST_CASE("names become one part of a path", "[aiwanctl]") {
  CHECK(path_part("west-1/ams-core7") == "west-1%2Fams-core7");
  CHECK(path_part("../a?b#c %") == "..%2Fa%3Fb%23c%20%25");
  CHECK(path_part("é") == "%C3%A9");
}

TEST_CASE("an error is one line with its cause and what to do", "[aiwanctl]") {
  CHECK(error_line({.exit_code = ExitCode::kError, .what = "no link x", .where = "GET /v1", .next = "look"}) ==
        "aiwanctl: no link x (GET /v1); next: look");
  const std::string line = error_line({.exit_code = ExitCode::kError, .what = "a\nb\x1b[31m", .where = "", .next = ""});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
}

const Json kSaved{{"format", "aiwan-saved-plan-1"},
                  {"state", "0123456789abcdef"},
                  {"policy_text", "classes: []\n"},
                  {"policy_name", "p.yaml"},
                  {"changes", Json::array()}};

TEST_CASE("a saved plan gives the policies and the state that they were checked against", "[aiwanctl]") {
  const auto plan = parse_saved_plan(kSaved.dump(), "night.plan");
  REQUIRE(plan.has_value());
  CHECK(*plan == SavedPlan{.policies = {.text = "classes: []\n", .name = "p.yaml"}, .state = "0123456789abcdef"});
}

TEST_CASE("what is no saved plan of this version is refused with its name", "[aiwanctl]") {
  for (const char* key : {"format", "state", "policy_text", "policy_name"}) {
    for (const Json& value : {Json(), Json(1), Json::array(), Json::object(), Json(true)}) {
      Json wrong = kSaved;
      wrong[key] = value;
      CHECK_FALSE(parse_saved_plan(wrong.dump(), "night.plan").has_value());
    }
    Json without = kSaved;
    without.erase(key);
    CHECK_FALSE(parse_saved_plan(without.dump(), "night.plan").has_value());
  }
  Json newer = kSaved;
  newer["format"] = "aiwan-saved-plan-2";
  const auto refused = parse_saved_plan(newer.dump(), "night.plan");
  REQUIRE_FALSE(refused.has_value());
  CHECK(error_line(refused.error()).find("night.plan") != std::string::npos);
  CHECK(refused.error().exit_code == ExitCode::kError);
  for (const std::string& text : {std::string{}, std::string{"classes:\n"}, std::string(100'000, '[')}) {
    CHECK_FALSE(parse_saved_plan(text, "x").has_value());
  }
}

TEST_CASE("a damaged saved plan is read as it was or refused, never anything else", "[aiwanctl]") {
  const std::string whole = kSaved.dump(2);
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng random{seed, "damage"};
    std::string text = whole;
    for (std::uint64_t left = 1 + random.below(3); left > 0; --left) {
      const std::size_t at = random.below(text.size());
      if (random.below(3) == 0) {
        text.erase(at, 1 + random.below(8));
        if (text.empty()) text.push_back('x');
      } else {
        text[at] = static_cast<char>(random.below(256));
      }
    }
    const auto plan = parse_saved_plan(text, "x");
    CAPTURE(seed, text);
    if (plan) {
      CHECK(parse_json(text).has_value());
    } else {
      CHECK_FALSE(plan.error().what.empty());
    }
  }
}

TEST_CASE("policies come from standard input too, up to 1 MiB of UTF-8", "[aiwanctl]") {
  std::istringstream good{"classes:\n"};
  CHECK(read_policies("-", good) == PolicyText{.text = "classes:\n", .name = "standard input"});
  std::istringstream large{std::string((1 << 20) + 1, 'x')};
  CHECK_FALSE(read_policies("-", large).has_value());
  std::istringstream binary{"\xff\xfe"};
  CHECK_FALSE(read_policies("-", binary).has_value());
  std::istringstream unused{""};
  const auto absent = read_policies("/no/such/file.yaml", unused);
  REQUIRE_FALSE(absent.has_value());
  CHECK(absent.error().exit_code == ExitCode::kError);
}

TEST_CASE("an answer that nests too deep is no JSON of ours", "[aiwanctl]") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[').append(depth, ']'); };
  CHECK(parse_json(nested(kJsonDepthMax)).has_value());
  CHECK_FALSE(parse_json(nested(kJsonDepthMax + 2)).has_value());
  CHECK_FALSE(parse_json(nested(1'000'000)).has_value());
  CHECK_FALSE(parse_json("{\"a\":1} x").has_value());
  CHECK_FALSE(parse_json("{\"a\":\"\xff\"}").has_value());
}

}  // namespace
}  // namespace wan::aiwanctl
