#include <catch2/catch.hpp>
#include <string>

#include "controller/program/aiwanctl/yaml_output.h"
#include "core/io/number_text.h"
#include "core/io/yaml_tree.h"
#include "tests/unit/controller_program/aiwanctl_samples.h"

namespace wan::aiwanctl {
namespace {

/// Whether a YAML reader that is not ours to write found this very document.
bool same(const Json& json, const io::YamlValue& yaml) {
  using Kind = io::YamlValue::Kind;
  if (json.is_null()) return yaml.kind == Kind::kEmpty;
  if (json.is_object()) {
    if (yaml.kind != Kind::kMap || yaml.entries.size() != json.size()) return false;
    std::size_t at = 0;
    for (const auto& [key, value] : json.items()) {
      const io::YamlEntry& entry = yaml.entries[at++];
      if (entry.key != key || !same(value, entry.value)) return false;
    }
    return true;
  }
  if (json.is_array()) {
    if (yaml.kind != Kind::kList || yaml.items.size() != json.size()) return false;
    for (std::size_t at = 0; at < json.size(); ++at) {
      if (!same(json[at], yaml.items[at])) return false;
    }
    return true;
  }
  if (yaml.kind != Kind::kScalar) return false;
  if (json.is_string()) return yaml.scalar == json.get<std::string>();
  if (json.is_boolean()) return yaml.scalar == (json.get<bool>() ? "true" : "false");
  return io::parse_number(yaml.scalar) == json.get<double>();
}

TEST_CASE("any JSON object comes back from YAML as it was", "[aiwanctl]") {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng random{seed, "yaml"};
    Json document = Json::object();
    for (int left = 4; left > 0; --left) document["key" + std::to_string(left)] = test::any_json(random);
    const std::string yaml = to_yaml(document);
    CAPTURE(seed, yaml);
    const auto read = io::parse_yaml(yaml, "answer");
    REQUIRE(read.has_value());
    REQUIRE(same(document, *read));
  }
}

TEST_CASE("YAML looks as a person would write it", "[aiwanctl]") {
  const Json document{{"items", {{{"name", "west-1"}, {"up", true}}, {{"name", "no"}, {"rate", 1e300}}}},
                      {"text", "classes:\n  - name: gold\n"},
                      {"none", Json::array()},
                      {"epoch", nullptr}};
  CHECK(to_yaml(document) == R"(items:
  - name: west-1
    up: true
  - name: "no"
    rate: 1.0e+300
text: |
  classes:
    - name: gold
none: []
epoch: null
)");
  CHECK(to_yaml(Json::object()) == "{}\n");
}

}  // namespace
}  // namespace wan::aiwanctl
