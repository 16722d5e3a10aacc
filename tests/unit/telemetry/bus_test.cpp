#include "telemetry/zmq/bus.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "core/random.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/telemetry/drawn_messages.h"

namespace {

using wan::ErrorCode;
using wan::NodeHello;
using wan::NodeProgram;
using wan::Rng;
using wan::telemetry::DaemonBus;
using wan::telemetry::DaemonMessage;
using wan::telemetry::encode;
using wan::telemetry::NodeBus;
using wan::telemetry::NodeMessage;
using wan::telemetry::ProgramRequest;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;  // far beyond what a loaded machine needs; nothing waits for it when all is well
constexpr const char* kAnyPort = "tcp://127.0.0.1:*";

NodeMessage hello_of(const std::string& name, std::uint64_t installs = 0) {
  NodeHello hello;
  hello.node = {.name = name, .boot_id = 1};
  hello.version = "1.0";
  hello.locator = "fc00:0:1::/64";
  hello.installs = installs;
  return hello;
}

DaemonBus bound(const std::string& endpoint) {
  auto bus = DaemonBus::bind(endpoint);
  if (!bus) FAIL(bus.error().message);
  return *std::move(bus);
}
NodeBus connected(const DaemonBus& daemon, const std::string& name) {
  auto bus = NodeBus::connect(daemon.endpoint(), name);
  if (!bus) FAIL(bus.error().message);
  return *std::move(bus);
}

std::string ipc_in(const wan::test::ScratchFolder& folder) {
  return std::string{"ipc://"}.append((folder / "bus.sock").string());
}

/// Serves the daemon's end until something has happened.
bool serve_until(DaemonBus& bus, const std::function<bool()>& happened) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!happened()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    (void)bus.receive(5ms);
  }
  return true;
}

/// Tries again until the daemon knows the peer's name.
bool send_when_known(DaemonBus& bus, const std::string& node, const DaemonMessage& message) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!bus.send(node, message)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    (void)bus.receive(5ms);
  }
  return true;
}

/// A peer that speaks ZeroMQ and sends what it likes.
class RawPeer {
 public:
  RawPeer(const std::string& endpoint, const std::string& name) {
    socket_.set(zmq::sockopt::routing_id, name);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvhwm, 1);
    socket_.connect(endpoint);
  }
  void send(std::string_view frame) { socket_.send(zmq::buffer(frame)); }
  void send_two(std::string_view first, std::string_view second) {
    socket_.send(zmq::buffer(first), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(second));
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_{context_, zmq::socket_type::dealer};
};

/// A message of `name` gets through, whatever came before it.
void check_still_serves(DaemonBus& bus, const std::string& name) {
  NodeBus node = connected(bus, name);
  REQUIRE(node.send(hello_of(name)));
  const auto received = bus.receive(kPatience);
  REQUIRE(received);
  CHECK(received->node == name);
  REQUIRE(bus.send(name, ProgramRequest{}));
  CHECK(node.receive(kPatience) == DaemonMessage{ProgramRequest{}});
}

}  // namespace

TEST_CASE("messages of all kinds cross the bus both ways unchanged", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const std::string endpoint = GENERATE(false, true) ? ipc_in(folder) : kAnyPort;
  DaemonBus daemon = bound(endpoint);
  NodeBus node = connected(daemon, "ams");
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed, endpoint);
    Rng rng{seed, "bus"};
    NodeMessage up = wan::test::drawn_node_message(rng, 20);
    std::visit([](auto& message) { message.node.name = "ams"; }, up);
    REQUIRE(node.send(up));
    const auto received = daemon.receive(kPatience);
    REQUIRE(received);
    CHECK(received->node == "ams");
    CHECK(received->message == up);
    const DaemonMessage down = wan::test::drawn_daemon_message(rng, 20);
    REQUIRE(daemon.send("ams", down));
    CHECK(node.receive(kPatience) == down);
  }
  CHECK(daemon.counts() == wan::telemetry::BusCounts{.received = 40, .sent = 40});
  CHECK(node.counts() == wan::telemetry::BusCounts{.received = 40, .sent = 40});
}

TEST_CASE("what is no good message is counted and the next good one is received", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const std::string endpoint = GENERATE(false, true) ? ipc_in(folder) : kAnyPort;
  DaemonBus daemon = bound(endpoint);
  RawPeer attacker{daemon.endpoint(), "eve"};
  const std::string good = encode(hello_of("eve"));

  Rng rng{1, "noise"};
  for (int i = 0; i < 50; ++i) {
    std::string noise(1 + rng.below(2000), '\0');
    for (char& c : noise) c = static_cast<char>(rng.below(256));
    attacker.send(noise);
  }
  for (std::size_t size = 0; size < good.size(); size += 7) attacker.send(good.substr(0, size));
  const std::uint64_t cut = (good.size() + 6) / 7;
  attacker.send_two(good, good);
  std::string other_version = good;
  other_version[1] = 9;
  attacker.send(other_version);
  attacker.send(encode(hello_of("ams")));
  attacker.send(encode(DaemonMessage{ProgramRequest{}}));
  attacker.send(good);

  const auto received = daemon.receive(kPatience);
  REQUIRE(received);
  CHECK(received->node == "eve");
  const auto counts = daemon.counts();
  CHECK(counts.received == 1);
  CHECK(counts.malformed + counts.other_version == 50 + cut + 1 + 1 + 1);
  CHECK(counts.other_version >= 1);
  CHECK(counts.misattributed == 1);
  const auto fault = daemon.take_fault();
  REQUIRE(fault);
  CHECK(fault->peer == "eve");
  CHECK(fault->error.message == "bus message: holds none of the messages for this end");
  CHECK(!daemon.take_fault());
  check_still_serves(daemon, "ams");
}

TEST_CASE("a node that speaks for another is told by name", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  RawPeer attacker{daemon.endpoint(), std::string{"ev\x01"
                                                  "e"}};
  attacker.send(encode(hello_of("ams")));
  REQUIRE(serve_until(daemon, [&] { return daemon.counts().misattributed == 1; }));
  const auto fault = daemon.take_fault();
  REQUIRE(fault);
  CHECK(fault->peer == "ev\\x01e");
  CHECK(fault->error.message == "bus message: speaks for ams");
}

TEST_CASE("a frame over the size cap ends its connection, again and again, and nobody else's", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  NodeBus node = connected(daemon, "ams");
  REQUIRE(node.send(hello_of("ams")));
  REQUIRE(daemon.receive(kPatience));
  const std::string oversized(wan::telemetry::kBusMessageBytesMax + 1, 'x');
  for (std::uint64_t round = 1; round <= 3; ++round) {
    RawPeer attacker{daemon.endpoint(), "eve"};
    attacker.send(oversized);
    REQUIRE(serve_until(daemon, [&] { return daemon.counts().disconnects >= round; }));
  }
  CHECK(daemon.counts().received == 1);
  REQUIRE(node.send(hello_of("ams", 5)));
  const auto received = daemon.receive(kPatience);
  REQUIRE(received);
  CHECK(received->message == hello_of("ams", 5));
  CHECK(node.counts().disconnects == 0);
  check_still_serves(daemon, "lon");
}

TEST_CASE("bytes that are not even ZeroMQ are counted", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  const std::string& endpoint = daemon.endpoint();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  const int raw = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::connect(raw, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  // The greeting of ZMTP 3.0 with a mechanism that does not exist.
  std::string greeting{"\xff\0\0\0\0\0\0\0\1\x7f\x03\0WRONG", 17};
  greeting.resize(64, '\0');
  REQUIRE(::send(raw, greeting.data(), greeting.size(), 0) == 64);
  CHECK(serve_until(daemon, [&] { return daemon.counts().malformed + daemon.counts().disconnects > 0; }));
  ::close(raw);
  check_still_serves(daemon, "ams");
}

TEST_CASE("sending to a node that is not there is told and counted", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  CHECK(!daemon.send("ams", ProgramRequest{}));
  CHECK(daemon.counts().send_drops == 1);
}

TEST_CASE("a node that does not read costs a bounded queue and blocks nobody", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  const RawPeer sleeper{daemon.endpoint(), "ams"};
  wan::ProgrammedPath path{.id = 1, .fraction = 1.0, .port = "east", .segments = {wan::IpAddress::v6({})}, .links = {}};
  path.links.assign(120, std::string(250, 'x'));  // tens of kilobytes: buffers of the kernel fill
  NodeProgram program;
  program.epoch = 1;
  program.digest = "0123456789abcdef";
  program.demands = {{.cls = wan::TrafficClass{0}, .destination = "b", .paths = {path}, .backups = {}}};
  REQUIRE(send_when_known(daemon, "ams", program));
  int sent = 0;
  while (sent < 20'000 && daemon.send("ams", program)) ++sent;
  CHECK(sent < 20'000);
  CHECK(daemon.counts().send_drops > 0);
  check_still_serves(daemon, "lon");
}

TEST_CASE("a wake from another thread ends a wait, before or during it", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  daemon.wake();
  const auto start = std::chrono::steady_clock::now();
  CHECK(!daemon.receive(kPatience));
  const std::jthread waker{[&] { daemon.wake(); }};
  CHECK(!daemon.receive(kPatience));
  CHECK(std::chrono::steady_clock::now() - start < kPatience);
}

TEST_CASE("a restarted node takes its name over at once", "[telemetry]") {
  DaemonBus daemon = bound(kAnyPort);
  NodeBus before = connected(daemon, "ams");
  REQUIRE(before.send(hello_of("ams", 1)));
  REQUIRE(daemon.receive(kPatience));
  NodeBus after = connected(daemon, "ams");  // the first one still holds its connection, as after a silent crash
  REQUIRE(after.send(hello_of("ams", 2)));
  const auto received = daemon.receive(kPatience);
  REQUIRE(received);
  CHECK(received->message == hello_of("ams", 2));
  REQUIRE(daemon.send("ams", ProgramRequest{}));
  CHECK(after.receive(kPatience));
}

TEST_CASE("a node keeps what it sends while the daemon is away, up to its queue, and reconnects by itself",
          "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const std::string endpoint = ipc_in(folder);
  auto node = NodeBus::connect(endpoint, "ams");
  REQUIRE(node);
  int kept = 0;
  while (kept < 1000 && node->send(hello_of("ams", static_cast<std::uint64_t>(kept)))) ++kept;
  CHECK(kept == NodeBus::kQueueMax);
  CHECK(node->counts().send_drops == 1);
  for (int life = 0; life < 3; ++life) {
    CAPTURE(life);
    DaemonBus daemon = bound(endpoint);
    if (life > 0) REQUIRE(node->send(hello_of("ams", 0)));
    for (int i = 0; i < (life == 0 ? kept : 1); ++i) {
      const auto received = daemon.receive(kPatience);
      REQUIRE(received);
      CHECK(received->message == hello_of("ams", static_cast<std::uint64_t>(i)));
    }
    REQUIRE(daemon.send("ams", ProgramRequest{}));
    CHECK(node->receive(kPatience));
  }
}

TEST_CASE("an endpoint that cannot be bound is refused with the reason", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const auto error_of = [](const std::string& endpoint) {
    const auto bus = DaemonBus::bind(endpoint);
    REQUIRE(!bus);
    return bus.error();
  };
  CHECK(error_of("").code == ErrorCode::kBadInput);
  CHECK(error_of("udp://127.0.0.1:1").code == ErrorCode::kBadInput);
  CHECK(error_of("ipc://" + (folder / "absent/bus.sock").string()).message.ends_with("the folder does not exist"));
  CHECK(error_of("ipc:///" + std::string(200, 'a')).message.ends_with("(107 bytes)"));
  std::ofstream{folder / "file"} << "not a socket";
  CHECK(error_of("ipc://" + (folder / "file").string()).message.ends_with("the file is there and no socket"));
  CHECK(std::filesystem::exists(folder / "file"));
  const DaemonBus daemon = bound(kAnyPort);
  CHECK(error_of(daemon.endpoint()).code == ErrorCode::kIo);
  CHECK(!NodeBus::connect(daemon.endpoint(), ""));
  CHECK(!NodeBus::connect(daemon.endpoint(), "line\nbreak"));
  CHECK(!NodeBus::connect("nowhere", "ams"));
}

TEST_CASE("the socket file of a killed daemon is replaced, a living one's is not", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const std::filesystem::path file = folder / "bus.sock";
  const std::string endpoint = "ipc://" + file.string();
  {  // what kill -9 leaves: a bound socket file that nobody listens on
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    file.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    ::close(socket);
  }
  REQUIRE(std::filesystem::is_socket(file));
  DaemonBus daemon = bound(endpoint);
  const auto second = DaemonBus::bind(endpoint);
  REQUIRE(!second);
  CHECK(second.error().message.ends_with("another program listens there"));
  check_still_serves(daemon, "ams");
}
