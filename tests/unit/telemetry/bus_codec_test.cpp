#include "telemetry/bus_codec.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/random.h"
#include "telemetry/bus_limits.h"
#include "tests/unit/telemetry/drawn_messages.h"

namespace {

using wan::ErrorCode;
using wan::IntervalReport;
using wan::IpAddress;
using wan::IpPrefix;
using wan::NodeHello;
using wan::NodeProgram;
using wan::Rng;
using wan::TrafficClass;
using wan::telemetry::DaemonMessage;
using wan::telemetry::decode_daemon_message;
using wan::telemetry::decode_node_message;
using wan::telemetry::encode;
using wan::telemetry::NodeMessage;
using wan::telemetry::ProgramRequest;

wan::ProgrammedPath small_path(const std::string& port, double fraction) {
  return {
      .id = 7, .fraction = fraction, .port = port, .segments = {*IpAddress::parse("fc00:0:2::46")}, .links = {"a-b"}};
}

NodeProgram small_program() {
  NodeProgram program;
  program.epoch = 3;
  program.digest = "0123456789abcdef";
  program.classes = {{.cls = TrafficClass{1}, .dscps = {46}}};
  program.egresses = {{.name = "b", .decapsulation_sid = *IpAddress::parse("fc00:0:2::46")}};
  program.prefixes = {{.prefix = *IpPrefix::parse("10.2.0.0/16"), .node = "b"}};
  program.routes = {{.locator = *IpPrefix::parse("fc00:0:2::/64"), .port = "east", .repair = {}}};
  program.routes[0].repair = wan::SidRoute::Repair{.port = "west", .segments = {}};
  program.adjacencies = {{.sid = *IpAddress::parse("fc00:0:1::1:0"), .port = "east"}};
  program.demands = {{.cls = TrafficClass{0},
                      .destination = "b",
                      .paths = {small_path("east", 0.25), small_path("west", 0.75)},
                      .backups = {{.failed_port = "east", .paths = {small_path("west", 1.0)}}}}};
  return program;
}

IntervalReport small_report() {
  IntervalReport report;
  report.node = {.name = "a", .boot_id = 9};
  report.sequence = 1;
  report.begin_ns = 1'000'000'000;
  report.end_ns = 2'000'000'000;
  report.demands = {{.cls = TrafficClass{0}, .destination = "b", .bytes = 1, .packets = 1, .dropped_packets = 0}};
  report.ports = {{.name = "east", .up = true}};
  report.drops = {{.reason = "no_route", .packets = 2}};
  return report;
}

NodeHello small_hello() {
  return {.node = {.name = "a", .boot_id = 9},
          .version = "0.1.0",
          .locator = "fc00:0:1::/64",
          .program_epoch = 3,
          .program_digest = "0123456789abcdef",
          .installs = 1,
          .ports = {{.name = "east", .up = true, .mtu = 1500}}};
}

/// The error's text after a change that makes a good value bad; empty when it is taken all the same.
template <typename T>
std::string fault_after(T value, const std::function<void(T&)>& change) {
  change(value);
  if constexpr (std::is_same_v<T, NodeProgram>) {
    const auto decoded = decode_daemon_message(encode(DaemonMessage{value}));
    if (decoded) return {};
    CHECK(decoded.error().code == ErrorCode::kBadInput);
    return decoded.error().message;
  } else {
    const auto decoded = decode_node_message(encode(NodeMessage{value}));
    if (decoded) return {};
    CHECK(decoded.error().code == ErrorCode::kBadInput);
    return decoded.error().message;
  }
}

std::string program_fault(const std::function<void(NodeProgram&)>& change) {
  return fault_after(small_program(), change);
}
std::string report_fault(const std::function<void(IntervalReport&)>& change) {
  return fault_after(small_report(), change);
}
std::string hello_fault(const std::function<void(NodeHello&)>& change) { return fault_after(small_hello(), change); }

/// An envelope that holds these bytes under one field.
std::string enveloped(int field, const std::string& content) {
  std::string bytes{"\x08\x01"};
  bytes += static_cast<char>(field << 3 | 2);
  std::size_t length = content.size();
  while (length >= 0x80) {
    bytes += static_cast<char>(0x80 | (length & 0x7f));
    length >>= 7;
  }
  bytes += static_cast<char>(length);
  return bytes + content;
}

}  // namespace

TEST_CASE("what was encoded is decoded to the same message, whatever its fields hold", "[telemetry]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "codec"};
    const NodeMessage up = wan::test::drawn_node_message(rng, 1 + seed % 30);
    const auto up_again = decode_node_message(encode(up));
    if (!up_again) FAIL(up_again.error().message);
    CHECK(*up_again == up);
    const DaemonMessage down = wan::test::drawn_daemon_message(rng, 1 + seed % 30);
    const auto down_again = decode_daemon_message(encode(down));
    if (!down_again) FAIL(down_again.error().message);
    CHECK(*down_again == down);
  }
}

TEST_CASE("small good messages are taken", "[telemetry]") {
  CHECK(program_fault([](NodeProgram&) {}).empty());
  CHECK(report_fault([](IntervalReport&) {}).empty());
  CHECK(hello_fault([](NodeHello&) {}).empty());
}

TEST_CASE("a program that breaks a promise is refused with what and where", "[telemetry]") {
  using Program = NodeProgram;
  CHECK(program_fault([](Program& p) { p.epoch = 0; }) ==
        "bus message: program.epoch: 0: it must rise with every program");
  CHECK(program_fault([](Program& p) { p.digest = "0123"; }) ==
        "bus message: program.digest: not 16 hexadecimal digits");
  CHECK(program_fault([](Program& p) { p.demands[0].paths[1].fraction = 0.0; }) ==
        "bus message: program.demands[0].paths[1].fraction: not in (0, 1]");
  CHECK(program_fault([](Program& p) { p.demands[0].paths[1].fraction = std::nan(""); }) ==
        "bus message: program.demands[0].paths[1].fraction: not in (0, 1]");
  CHECK(program_fault([](Program& p) { p.demands[0].paths[1].fraction = 0.7; }) ==
        "bus message: program.demands[0].paths: fractions do not sum to 1");
  CHECK(program_fault([](Program& p) { p.demands[0].paths.clear(); }) != "");
  CHECK(program_fault([](Program& p) { p.demands[0].paths[0].segments.clear(); }) != "");
  CHECK(program_fault([](Program& p) {
          p.demands[0].paths[0].segments[0] = IpAddress::v4({10, 0, 0, 1});
        }) == "bus message: program.demands[0].paths[0].segments[0]: not an IPv6 address");
  CHECK(program_fault([](Program& p) { p.demands[0].paths[0].segments.resize(17, IpAddress::v6({})); }) ==
        "bus message: program.demands[0].paths[0].segments: more than 16");
  CHECK(program_fault([](Program& p) { p.demands[0].backups[0].paths[0].port = "east"; }) ==
        "bus message: program.demands[0].backups[0].paths: one leaves through the failed port");
  CHECK(program_fault([](Program& p) { p.demands[0].backups.push_back(p.demands[0].backups[0]); }) ==
        "bus message: program.demands[0].backups: one port twice");
  CHECK(program_fault([](Program& p) { p.demands.push_back(p.demands[0]); }) ==
        "bus message: program.demands: not in increasing order (class, destination)");
  CHECK(program_fault([](Program& p) { p.demands[0].cls = TrafficClass{64}; }) ==
        "bus message: program.demands[0].traffic_class: above 63");
  CHECK(program_fault([](Program& p) { p.demands[0].destination = "b\n"; }) ==
        "bus message: program.demands[0].destination: not printable");
  CHECK(program_fault([](Program& p) { p.demands[0].destination = std::string(65, 'b'); }) ==
        "bus message: program.demands[0].destination: longer than 64 bytes");
  CHECK(program_fault([](Program& p) { p.classes[0].dscps = {64}; }) ==
        "bus message: program.classes[0].dscps: above 63");
  CHECK(program_fault([](Program& p) { p.classes.push_back({.cls = TrafficClass{2}, .dscps = {46}}); }) ==
        "bus message: program.classes: one class or DSCP twice");
  CHECK(program_fault([](Program& p) { p.egresses.push_back(p.egresses[0]); }) != "");
  CHECK(program_fault([](Program& p) { p.prefixes.push_back(p.prefixes[0]); }) != "");
  CHECK(program_fault([](Program& p) { p.prefixes[0].prefix.length = 33; }) ==
        "bus message: program.prefixes[0].prefix.length: beyond the address");
  CHECK(program_fault([](Program& p) { p.prefixes[0].prefix.length = 8; }) ==
        "bus message: program.prefixes[0].prefix.address: bits beyond the prefix's length are set");
  CHECK(program_fault([](Program& p) { p.routes[0].repair->port = "east"; }) ==
        "bus message: program.routes[0].repair.port: the port that it is to replace");
  CHECK(program_fault([](Program& p) { p.routes[0].locator = *IpPrefix::parse("10.0.0.0/8"); }) ==
        "bus message: program.routes[0].locator: not IPv6");
  CHECK(program_fault([](Program& p) { p.adjacencies[0].port.clear(); }) != "");
}

TEST_CASE("a report or hello that breaks a promise is refused with what and where", "[telemetry]") {
  using Report = IntervalReport;
  CHECK(report_fault([](Report& r) { r.node.name.clear(); }) != "");
  CHECK(report_fault([](Report& r) { r.end_ns = r.begin_ns; }) ==
        "bus message: interval_report.end_ns: not after begin_ns, or by over an hour");
  CHECK(report_fault([](Report& r) { r.end_ns = std::numeric_limits<std::int64_t>::max(); }) != "");
  CHECK(report_fault([](Report& r) { r.begin_ns = -1; }) != "");
  CHECK(report_fault([](Report& r) { r.ports.push_back(r.ports[0]); }) ==
        "bus message: interval_report.ports: one name twice");
  CHECK(report_fault([](Report& r) { r.drops[0].reason = "No_Route"; }) ==
        "bus message: interval_report.drops[0].reason: not a word of a-z, 0-9 and _");
  CHECK(report_fault([](Report& r) { r.drops.push_back(r.drops[0]); }) != "");
  CHECK(report_fault([](Report& r) { r.demands[0].bytes = std::uint64_t{1} << 57; }) ==
        "bus message: interval_report.demands[0]: a count above 2^56");
  CHECK(report_fault([](Report& r) {
          r.ports.clear();
          for (int i = 0; i < 257; ++i) r.ports.push_back({.name = std::to_string(i)});
        }) == "bus message: interval_report.ports: more than 256");
  CHECK(hello_fault([](NodeHello& h) { h.locator = "10.0.0.0/8"; }) ==
        "bus message: hello.locator: not an IPv6 prefix");
  CHECK(hello_fault([](NodeHello& h) { h.program_digest = std::string(1, 'x'); }) != "");
  CHECK(hello_fault([](NodeHello& h) { h.version = "\x1b[2J"; }) == "bus message: hello.version: not printable");
}

TEST_CASE("a message of another version is told from a malformed one", "[telemetry]") {
  std::string bytes = encode(NodeMessage{small_hello()});
  REQUIRE(bytes.starts_with("\x08\x01"));
  bytes[1] = 2;
  const auto decoded = decode_node_message(bytes);
  REQUIRE(!decoded);
  CHECK(decoded.error().code == ErrorCode::kUnsupported);
  CHECK(decoded.error().message == "bus message: version 2, this is version 1");
  CHECK(decode_node_message("").error().code == ErrorCode::kBadInput);
  CHECK(decode_node_message(bytes.substr(2)).error().code == ErrorCode::kBadInput);
}

TEST_CASE("each end takes only the messages that are for it", "[telemetry]") {
  CHECK(!decode_node_message(encode(DaemonMessage{small_program()})));
  CHECK(!decode_node_message(encode(DaemonMessage{ProgramRequest{}})));
  CHECK(!decode_daemon_message(encode(NodeMessage{small_hello()})));
  CHECK(!decode_daemon_message("\x08\x01"));
}

TEST_CASE("a message cut anywhere is refused or shorter, never a crash", "[telemetry]") {
  Rng rng{5, "cut"};
  const std::string bytes = encode(DaemonMessage{wan::test::drawn_program(rng, 6)});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (const auto decoded = decode_daemon_message(std::string_view{bytes}.substr(0, size))) {
      FAIL("cut to " << size << " of " << bytes.size() << " bytes and taken");
    }
  }
}

TEST_CASE("a message with bits flipped is refused or well-formed", "[telemetry]") {
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng{seed, "flip"};
    std::string bytes = encode(wan::test::drawn_node_message(rng, 4));
    for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
      const auto bit = static_cast<unsigned>(rng.below(8));
      char& byte = bytes[rng.below(bytes.size())];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
    }
    const auto decoded = decode_node_message(bytes);
    if (!decoded) {
      ++refused;
      continue;
    }
    const auto again = decode_node_message(encode(*decoded));  // what was taken is whole: it can be sent on
    REQUIRE(again);
    CHECK(*again == *decoded);
  }
  CHECK(refused > 500);
}

TEST_CASE("fields of a later minor change are passed over", "[telemetry]") {
  std::string bytes = encode(NodeMessage{small_hello()});
  bytes += "\xa2\x06\x03new";  // field 100
  const auto decoded = decode_node_message(bytes);
  REQUIRE(decoded);
  CHECK(*decoded == NodeMessage{small_hello()});
}

TEST_CASE("a message over the size limit is refused before it is parsed", "[telemetry]") {
  const std::string bytes(wan::telemetry::kBusMessageBytesMax + 1, '\0');
  const auto decoded = decode_node_message(bytes);
  REQUIRE(!decoded);
  CHECK(decoded.error().message == "bus message: over the size limit of 16 MiB");
}

TEST_CASE("megabytes of empty list entries are refused before objects are made of them", "[telemetry]") {
  std::string entries;
  for (int i = 0; i < 4'000'000; ++i) entries += std::string_view{"\x42\x00", 2};  // demands, empty
  const auto as_program = decode_daemon_message(enveloped(6, entries));
  REQUIRE(!as_program);
  CHECK(as_program.error().message == "bus message: program.demands[0]: shorter than what it must hold");
  const auto as_report = decode_node_message(enveloped(3, entries));
  REQUIRE(!as_report);
  CHECK(as_report.error().message == "bus message: interval_report.drops: more than 64");
}

TEST_CASE("groups, the nesting of old, are refused", "[telemetry]") {
  std::string bytes{"\x08\x01"};
  for (int i = 0; i < 100'000; ++i) bytes += '\x0b';
  CHECK(!decode_node_message(bytes));
}
