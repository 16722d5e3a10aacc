#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <functional>

#include "core/io/demand_file.h"
#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/time.h"
#include "tests/unit/core/sample_plan.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kMeasured = false;  // the sanitizer's own memory and time are not ours
#else
constexpr bool kMeasured = true;
#endif

long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Runs one reader on a large text; it must neither take long nor remember much more than it was given.
template <typename T>
void check_refused(std::string_view message, const std::function<Result<T>()>& parse) {
  const SteadyClock steady;
  const Duration before = steady.now();
  const auto result = parse();
  if (kMeasured) {
    CHECK(to_seconds(steady.now() - before) < 10.0);
    CHECK(peak_memory_kib() < 1024 * 1024);
  }
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, Catch::Contains(std::string{message}));
  CHECK(result.error().message.find('\n') == std::string::npos);
  CHECK(result.error().message.size() < 400);
}

std::string repeated(std::string_view part, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + part.size());
  while (text.size() < bytes) text += part;
  return text;
}

constexpr std::size_t kMiB = 1 << 20;

}  // namespace

TEST_CASE("a line over 64 MiB is refused in every format", "[io][hostile]") {
  const std::string line = repeated("x", 65 * kMiB);
  for (const std::string_view head : {"NODES ", "{\"", "<a b=\""}) {
    const std::string text = std::string{"\n\n"} + std::string{head} + line;
    check_refused<TopologyFile>("f:3: a line over 64 MiB", [&] { return parse_topology(text, "f"); });
  }
  check_refused<TrafficMatrix>("f:1: a line over 64 MiB", [&] { return parse_demands(line, "f", diamond()); });
  check_refused<TrafficSeries>("f:1: a line over 64 MiB", [&] { return parse_traffic_csv(line, "f", diamond()); });
  check_refused<PlanFile>("f:1: a line over 64 MiB", [&] { return parse_plan(line, "f", diamond()); });
}

TEST_CASE("a row that a quoted field makes long over many lines is refused", "[io][hostile]") {
  const std::string text = "time,\"" + repeated("x\n", 65 * kMiB) + "\"\n";
  check_refused<TrafficSeries>("f:1: a row over 64 MiB", [&] { return parse_traffic_csv(text, "f", diamond()); });
}

TEST_CASE("XML that is nested deeply or cut into tiny parts is refused cheaply", "[io][hostile]") {
  check_refused<TopologyFile>("not well-formed", [&] { return parse_topology(repeated("<a>", 30 * kMiB), "f"); });
  check_refused<TopologyFile>("root element", [&] {
    return parse_topology("<a>" + repeated("x<b/>", 30 * kMiB) + "</a>", "f");  // the costliest text by byte
  });
  check_refused<TopologyFile>("XML over 32 MiB", [&] { return parse_topology(repeated("<a/>\n", 33 * kMiB), "f"); });
  std::string deep = repeated("<a>", 13 * kMiB);
  deep += repeated("</a>", deep.size() / 3 * 4);
  check_refused<TopologyFile>("root element \"a\"", [&] { return parse_topology(deep, "f"); });
}

TEST_CASE("XML entities are not expanded", "[io][hostile]") {
  std::string bomb = "<!DOCTYPE network [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c <= 'z'; ++c) {
    bomb +=
        std::string{"<!ENTITY "} + c + " \"" + repeated(std::string{"&"} + static_cast<char>(c - 1) + ";", 30) + "\">";
  }
  bomb += "]><network>&z;</network>";
  check_refused<TopologyFile>("lacks <networkStructure>", [&] { return parse_topology(bomb, "f"); });
}

TEST_CASE("JSON that is nested deeply or holds a giant token is refused cheaply", "[io][hostile]") {
  check_refused<TopologyFile>("nested over 64",
                              [&] { return parse_topology("{\"x\":" + repeated("[", 60 * kMiB), "f"); });
  check_refused<PlanFile>("nested over 64", [&] { return parse_plan(repeated("{\"a\":", 60 * kMiB), "f", diamond()); });
  check_refused<TopologyFile>("is missing",
                              [&] { return parse_topology("{\"" + repeated("k", 60 * kMiB) + "\":1}", "f"); });
  check_refused<TopologyFile>(
      "too long", [&] { return parse_topology("{\"nodes\":[{\"id\":\"" + repeated("k", 60 * kMiB) + "\"}]}", "f"); });
}

TEST_CASE("announced and real numbers of nodes and links are limited", "[io][hostile]") {
  std::string nodes = "{\"directed\":true,\"nodes\":[{\"id\":\"x\"}";
  for (int n = 0; n < 10'001; ++n) nodes += ",\n{\"id\":" + std::to_string(n) + "}";
  check_refused<TopologyFile>("f:10001: more than 10000 nodes", [&] { return parse_topology(nodes + "]}", "f"); });
  std::string links = "{\"directed\":true,\"nodes\":[{\"id\":0},{\"id\":1}],\"links\":[{\"source\":0,\"target\":1}";
  links += repeated(",\n{\"source\":0,\"target\":1}", 110 * kMiB / 2);
  check_refused<TopologyFile>("f:200001: more than 200000 links", [&] { return parse_topology(links + "]}", "f"); });
}

TEST_CASE("a header of a million columns and a matrix beyond memory are refused", "[io][hostile]") {
  std::string header = "time";
  for (int c = 0; c < 1'000'000; ++c) header += ",x" + std::to_string(c) + ">y";
  check_refused<TrafficSeries>("column 2", [&] { return parse_traffic_csv(header, "f", diamond()); });
  check_refused<TrafficSeries>("appears twice",
                               [&] { return parse_traffic_csv("time" + repeated(",A>B", 60 * kMiB), "f", diamond()); });
  check_refused<TrafficSeries>("column 2",
                               [&] { return parse_traffic_csv("time," + repeated(">", 60 * kMiB), "f", diamond()); });
  std::vector<Node> nodes;
  for (int n = 0; n < 9000; ++n) nodes.push_back({.name = std::to_string(n), .location = {}});
  const Topology large = Topology::make(std::move(nodes), {}).value();
  check_refused<TrafficMatrix>("needs over 448 MiB",
                               [&] { return parse_demands("DEMANDS 1\nlabel src dest bw\nd 0 1 1\n", "f", large); });
  check_refused<TrafficSeries>("f:2: the matrices up to here need over 448 MiB",
                               [&] { return parse_traffic_csv("time,0>1\n1,1\n", "f", large); });
}

TEST_CASE("a series of very many short rows stays within its memory", "[io][hostile]") {
  std::string text = "time,A>B\n";
  for (int row = 1; row <= 2'000'000; ++row) text += std::to_string(row) + ",1\n";
  check_refused<TrafficSeries>("the matrices up to here need over 448 MiB",
                               [&] { return parse_traffic_csv(text, "f", diamond()); });
}

TEST_CASE("a plan with very many path links is refused", "[io][hostile]") {
  std::string text = sample_plan();
  text.replace(text.find("[0,1]"), 5, "[0" + repeated(",1", 40 * kMiB) + repeated("\n,1", 60 * kMiB) + "]");
  check_refused<PlanFile>("more than 33554432 links", [&] { return parse_plan(text, "f", diamond()); });
}

TEST_CASE("a demand with very many paths is refused before they are compared", "[io][hostile]") {
  std::string text = sample_plan();
  const std::string_view one = "{\"fraction\":1e-9,\"links\":[0]},";
  text.insert(text.find("{\"fraction\""), repeated(one, 100'001 * one.size()));
  check_refused<PlanFile>("more than 100000 paths", [&] { return parse_plan(text, "f", diamond()); });
}

TEST_CASE("a device without end is not read for ever", "[io][hostile]") {
  if (!std::filesystem::exists("/dev/zero")) return;
  const auto endless = read_topology("/dev/zero");
  REQUIRE_FALSE(endless);
  CHECK(endless.error().message == "/dev/zero: larger than the 128 MiB that are read");
}
