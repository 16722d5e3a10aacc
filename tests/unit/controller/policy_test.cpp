#include "controller/policy.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "controller/program/policy_file.h"
#include "core/random.h"
#include "tests/fuzz/policy_network.h"

namespace wan::controller {
namespace {

const io::NetworkDescription& network() { return fuzz::policy_network(); }

Result<PolicySet> parsed(const std::string& text) { return parse_policies(text, "p.yaml", network()); }

std::string message_of(const std::string& text, ErrorCode code = ErrorCode::kBadInput) {
  const auto policies = parsed(text);
  if (policies) return "accepted";
  CHECK(policies.error().code == code);
  return policies.error().message;
}

std::vector<std::string> names_of(const std::vector<LinkId>& links) {
  std::vector<std::string> names;
  for (const LinkId link : links) names.push_back(network().topology.link(link).name);
  return names;
}

std::string whole_file(const std::filesystem::path& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST_CASE("the policies of docs/formats/policy.md are read as written", "[policy]") {
  const std::string page = whole_file(std::filesystem::path{WAN_DOCS} / "formats/policy.md");
  const std::size_t begin = page.find("```yaml\n") + 8;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const auto policies = parsed(example);
  INFO((policies ? "" : policies.error().message));
  REQUIRE(policies);
  REQUIRE(policies->classes.size() == 2);
  CHECK(policies->classes[0] == ClassPolicy{.name = "default"});
  const ClassPolicy& gold = policies->classes[1];
  CHECK(gold.name == "gold");
  CHECK(gold.dscps == std::vector<std::uint8_t>{34, 46});
  CHECK(gold.priority == 1);
  CHECK(gold.latency_max == std::chrono::milliseconds{30});
  CHECK(gold.utilization_target == 0.6);
  using Names = std::vector<std::string>;
  CHECK(names_of(gold.avoid) == Names{"west-1/ams-core7", "west-1/core7-ams", "west-2/ams-core7", "west-2/core7-ams"});
  CHECK(policies->utilization_target == 0.7);
  CHECK(policies->max_moved_share == 0.3);
  CHECK(policies->paths_max == 4U);
  REQUIRE(policies->pins.size() == 1);
  CHECK(policies->pins[0].cls == TrafficClass{1});
  CHECK(names_of(policies->pins[0].links) == Names{"west-1/ams-core7", "core7-fra"});
  CHECK(policies->drain == Names{"west-2", "core9"});
  CHECK(policies->drained_links.size() == 6);
  REQUIRE(policies->maintenance.size() == 1);
  CHECK(policies->maintenance[0].target == "west-2");
  CHECK(format_timestamp(policies->maintenance[0].from) == "2026-12-01T01:00:00Z");
  CHECK(policies->guard == PolicySet::Guard{2.0, 2.0, 20.0, 2});
  // The corpus that the schema is tested with begins with the same text.
  CHECK(whole_file(std::filesystem::path{WAN_POLICY_CORPUS} / "good_example.yaml") == example);
}

TEST_CASE("a file without policies leaves the default class alone", "[policy]") {
  REQUIRE(parsed("{}"));
  CHECK_FALSE(parsed("{}")->paths_max);
  CHECK(parsed("{}")->installed_paths_max() == 4);
  CHECK(parsed("paths_max: 64")->paths_max == 64U);
  CHECK(parsed("paths_max: 64")->installed_paths_max() == 64);
  CHECK(*parsed("{}") == PolicySet{});
  CHECK(parsed("pins:\ndrain:\nmaintenance:\n") == PolicySet{});
}

TEST_CASE("links are kept empty when drained and from the first second of a window until its end", "[policy]") {
  const auto policies = parsed(R"(drain: [core7-fra]
maintenance:
  - {target: west-2, from: 2026-12-01T01:00:00Z, to: 2026-12-01T05:00:00Z}
  - {target: duct-west, from: 2026-12-01T04:00:00Z, to: 2026-12-01T06:00:00+01:00}
)");
  REQUIRE(policies);
  const auto kept_empty = [&](std::string_view time) {
    return names_of(policies->links_kept_empty(*parse_timestamp(time)));
  };
  using Names = std::vector<std::string>;
  const Names both{"west-2/ams-core7", "west-2/core7-ams", "core7-fra"};
  CHECK(kept_empty("2026-12-01T00:59:59Z") == Names{"core7-fra"});
  CHECK(kept_empty("2026-12-01T01:00:00Z") == both);
  CHECK(kept_empty("2026-12-01T03:59:59Z") == both);
  CHECK(kept_empty("2026-12-01T04:00:00Z").size() == 5);
  CHECK(kept_empty("2026-12-01T04:59:59Z").size() == 5);
  CHECK(kept_empty("2026-12-01T05:00:00Z") == Names{"core7-fra"});
}

TEST_CASE("a name that stands for nothing is told with the nearest ones that do", "[policy]") {
  constexpr auto kNotFound = ErrorCode::kNotFound;
  CHECK(message_of("drain:\n- west-9\n", kNotFound) ==
        "p.yaml:2: drain[0]: no link, node or SRLG \"west-9\"; there are west-1, west-2, ams, core9, core7, fra, "
        "duct-west, ams-core9, core7-fra, core9-ams and 7 more");
  CHECK(message_of("classes:\n- name: default\n  avoid: [duct-east]\n", kNotFound)
            .starts_with("p.yaml:3: classes[0].avoid[0]: no link or SRLG \"duct-east\"; there are duct-west, "));
  CHECK(message_of("classes: [{name: default}, {name: gold}]\npins: [{from: ams, to: fra, class: glod, via: [ams]}]\n",
                   kNotFound) == "p.yaml:2: pins[0].class: no class \"glod\"; there are gold, default");
  CHECK(message_of("pins: [{from: ams, to: frankfurt, via: [ams]}]\n", kNotFound) ==
        "p.yaml:1: pins[0].to: no node \"frankfurt\"; there are fra, ams, core7, core9");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, core8, fra]}]\n", kNotFound)
            .starts_with("p.yaml:1: pins[0].via[1]: no node, or link of ams, \"core8\"; there are core7, core9, "));
  CHECK(message_of("maintenance: [{target: core, from: 2026-12-01T01:00:00Z, to: 2026-12-01T05:00:00Z}]\n", kNotFound)
            .starts_with("p.yaml:1: maintenance[0].target: no link, node or SRLG \"core\"; there are "));
}

TEST_CASE("what is wrong with policies is told with file, line and key", "[policy]") {
  CHECK(message_of("classes: [{name: a}, {name: a}]") == "p.yaml:1: classes[1].name: \"a\" names a class already");
  CHECK(message_of("classes: [{name: a}, {name: b, dscp: [1]}, {name: c, dscp: [2, 1]}]") ==
        "p.yaml:1: classes[2].dscp[1]: 1 is of class b already");
  CHECK(message_of("classes: [{name: a, dscp: [1]}]") ==
        "p.yaml:1: classes[0].dscp: the first class is for traffic that no other class names; it has no DSCP values");
  CHECK(message_of("classes: [{name: a, latency_max: 0 s}]") ==
        "p.yaml:1: classes[0].latency_max: \"0 s\": must be a time from 1 us to 1 h, such as 250 ms");
  CHECK(message_of("classes: [{name: a, avoid: [core7]}]") ==
        "p.yaml:1: classes[0].avoid[0]: \"core7\" is a node; only links and SRLGs are meant here");
  CHECK(message_of("utilization_target: 70") ==
        "p.yaml:1: utilization_target: \"70\": must be a number from 0.01 to 10");
  CHECK(message_of("pins: [{from: ams, to: ams, via: [ams]}]") ==
        "p.yaml:1: pins[0].to: must be another node than from");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [core7, fra]}]") ==
        "p.yaml:1: pins[0].via[0]: must be ams, where the pin begins");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, fra]}]") ==
        "p.yaml:1: pins[0].via[1]: no link leads from ams to fra; it has links to core7, core9");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, core7, fra]}]") ==
        "p.yaml:1: pins[0].via[1]: several links lead from ams to core7; write the one meant between them: "
        "west-1/ams-core7, west-2/ams-core7");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, core9]}]") ==
        "p.yaml:1: pins[0].via: ends at core9, not at fra");
  CHECK(message_of("pins: [{from: ams, to: core9, via: [ams, core9, fra]}]") ==
        "p.yaml:1: pins[0].via[2]: the path goes on after core9");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, core9, ams]}]") ==
        "p.yaml:1: pins[0].via[2]: the path meets ams twice");
  CHECK(message_of("pins: [{from: ams, to: fra, via: [ams, west-1, core7, west-2, ams]}]") ==
        "p.yaml:1: pins[0].via[3]: the path meets ams twice");
  CHECK(
      message_of(
          "classes: [{name: a}, {name: b}]\npins: [{from: ams, to: fra, class: b, via: [ams, core9, fra]}, {from: ams, "
          "to: fra, via: [ams, core9, fra]}]") == "p.yaml:2: pins[1]: pins traffic that another pin holds already");
  CHECK(message_of("maintenance: [{target: west-2, from: 1764550800, to: 2026-12-01T05:00:00Z}]") ==
        "p.yaml:1: maintenance[0].from: \"1764550800\": must be a time such as 2026-12-01T01:00:00Z");
  CHECK(message_of("guard: {holds: 2}") ==
        "p.yaml:1: guard: unknown key \"holds\"; allowed are level_factor, jump_factor, wild_jump_factor, holds_max");
}

TEST_CASE("classes may stand after the pins that name them, and pins name both directions or one of a link",
          "[policy]") {
  const auto policies = parsed(
      "pins:\n- {from: core7, to: ams, class: gold, via: [core7, west-2, ams]}\n"
      "- {from: fra, to: ams, via: [fra, core7, west-1/core7-ams, ams]}\n"
      "- {from: ams, to: core7, via: [ams, west-1]}\n"
      "classes: [{name: default}, {name: gold, dscp: [10]}]\n");
  INFO((policies ? "" : policies.error().message));
  REQUIRE(policies);
  REQUIRE(policies->pins.size() == 3);
  using Names = std::vector<std::string>;
  CHECK(policies->pins[0].cls == TrafficClass{1});
  CHECK(names_of(policies->pins[0].links) == Names{"west-2/core7-ams"});
  CHECK_FALSE(policies->pins[1].cls);
  CHECK(names_of(policies->pins[1].links) == Names{"fra-core7", "west-1/core7-ams"});
  CHECK(names_of(policies->pins[2].links) == Names{"west-1/ams-core7"});
}

TEST_CASE("the corpus of policies is accepted or refused as its names say", "[policy]") {
  std::size_t good = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator{WAN_POLICY_CORPUS}) {
    const std::string name = entry.path().filename().string();
    const auto policies = parsed(whole_file(entry.path()));
    INFO(name << ": " << (policies ? "accepted" : policies.error().message));
    CHECK(policies.has_value() == name.starts_with("good_"));
    if (!policies) CHECK((policies.error().code == ErrorCode::kNotFound) == name.starts_with("unknown_"));
    ++(policies ? good : refused);
  }
  CHECK(good >= 4);
  CHECK(refused >= 20);
}

TEST_CASE("mutated policies are sound, or refused on one line that names the file", "[policy][mutation]") {
  const std::string sample = whole_file(std::filesystem::path{WAN_POLICY_CORPUS} / "good_example.yaml");
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Rng rng{seed, "policy mutation"};
    std::string text = sample;
    for (std::uint64_t wounds = 1 + rng.below(3); wounds > 0; --wounds) {
      const std::size_t begin = rng.below(text.size());
      const std::size_t length = std::min<std::size_t>(1 + rng.below(40), text.size() - begin);
      constexpr std::string_view kMarks = "{}[]:,-?&*!|>'\"%@#\n\t \\0129/";
      if (const auto kind = rng.below(4); kind == 0) {
        text[begin] ^= static_cast<char>(1 << rng.below(8));
      } else if (kind == 1) {
        text[begin] = kMarks[rng.below(kMarks.size())];
      } else if (kind == 2 && length < text.size()) {
        text.erase(begin, length);
      } else {
        text.insert(rng.below(text.size()), text.substr(begin, length));
      }
    }
    INFO("seed " << seed << ", text:\n" << text);
    const auto policies = parsed(text);
    if (policies) {
      ++accepted;
      REQUIRE_FALSE(policies->classes.empty());
      continue;
    }
    REQUIRE(policies.error().message.starts_with("p.yaml:"));
    REQUIRE(policies.error().message.find('\n') == std::string::npos);
  }
  CHECK(accepted > 200);
  CHECK(accepted < 3500);
}

}  // namespace
}  // namespace wan::controller
