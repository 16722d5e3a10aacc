#include "controller/failure_set.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace wan::controller {
namespace {

struct Line {
  std::string name;
  std::size_t from, to;
  std::vector<SrlgId> srlgs = {};
  bool up = true;
};

Topology network(std::size_t nodes, const std::vector<Line>& lines) {
  std::vector<Node> named;
  for (std::size_t n = 0; n < nodes; ++n) named.push_back({std::string(1, static_cast<char>('A' + n)), std::nullopt});
  std::vector<Link> links;
  std::vector<LinkId> down;
  for (const Line& line : lines) {
    if (!line.up) down.push_back(LinkId{links.size()});
    links.push_back({.name = line.name,
                     .from = NodeId{line.from},
                     .to = NodeId{line.to},
                     .capacity = BitRate::gbps(1),
                     .srlgs = line.srlgs});
  }
  return Topology::make(std::move(named), std::move(links)).value().with_links_down(down);
}

std::vector<std::string> names(const std::vector<Failure>& failures) {
  std::vector<std::string> found;
  for (const Failure& failure : failures) found.push_back(failure.name);
  return found;
}

}  // namespace

TEST_CASE("a link fails in both directions, parallel links one by one", "[failures]") {
  const Topology topology = network(
      3, {{"A>B", 0, 1}, {"B>A", 1, 0}, {"A>B#2", 0, 1}, {"B>C", 1, 2}, {"B>A#2", 1, 0}, {"A>C", 0, 2}, {"C>B", 2, 1}});
  const auto failures = link_failures(topology);
  CHECK(names(failures) == std::vector<std::string>{"A<>B", "A<>B#2", "B<>C", "A>C"});
  CHECK(failures[0].down == std::vector{LinkId{0}, LinkId{1}});
  CHECK(failures[1].down == std::vector{LinkId{2}, LinkId{4}});
  CHECK(failures[2].down == std::vector{LinkId{3}, LinkId{6}});
  CHECK(failures[3].down == std::vector{LinkId{5}});
}

TEST_CASE("links with names of their own keep them", "[failures]") {
  const auto failures = link_failures(network(2, {{"east", 0, 1}, {"west", 1, 0}}));
  CHECK(names(failures) == std::vector<std::string>{"A<>B (east)"});
}

TEST_CASE("what is down already does not fail, and stays down after a failure", "[failures]") {
  const Topology topology =
      network(3, {{"A>B", 0, 1}, {"B>A", 1, 0, {}, false}, {"B>C", 1, 2, {}, false}, {"C>B", 2, 1, {}, false}});
  const auto failures = link_failures(topology);
  CHECK(names(failures) == std::vector<std::string>{"A>B"});
  const Topology failed = after_failure(topology, failures[0]);
  for (const Link& link : failed.links()) CHECK_FALSE(link.up);
  CHECK(after_failure(topology, {}).link(LinkId{0}).up);
}

TEST_CASE("a node fails with all its links; an island cannot fail", "[failures]") {
  const auto failures = node_failures(network(4, {{"A>B", 0, 1}, {"B>A", 1, 0}, {"B>C", 1, 2}}));
  CHECK(names(failures) == std::vector<std::string>{"A", "B", "C"});
  CHECK(failures[0].down == std::vector{LinkId{0}, LinkId{1}});
  CHECK(failures[1].down == std::vector{LinkId{0}, LinkId{1}, LinkId{2}});
  CHECK(failures[2].down == std::vector{LinkId{2}});
}

TEST_CASE("a group that names one direction of a link takes the other with it", "[failures]") {
  const SrlgId duct{0}, river{2};
  const Topology topology = network(
      3, {{"A>B", 0, 1, {duct}}, {"B>A", 1, 0}, {"B>C", 1, 2, {duct, river}}, {"C>B", 2, 1, {river}}, {"A>C", 0, 2}});
  const auto failures = srlg_failures(topology, std::vector<std::string>{"duct"});
  CHECK(names(failures) == std::vector<std::string>{"duct", "srlg 2"});
  CHECK(failures[0].down == std::vector{LinkId{0}, LinkId{1}, LinkId{2}, LinkId{3}});
  CHECK(failures[1].down == std::vector{LinkId{2}, LinkId{3}});
}

}  // namespace wan::controller
