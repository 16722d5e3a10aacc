#include "dataplane/program/link_watch.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <iostream>
#include <thread>

namespace wan::dataplane {
namespace {

bool set_loopback(bool up) {
  const int control = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = up ? IFF_UP : 0;
  const bool done = ioctl(control, SIOCSIFFLAGS, &request) == 0;
  close(control);
  return done;
}

/// What a watch saw of the loopback interface of a network namespace of its own, which goes with the thread.
struct Seen {
  bool permitted = false, opened = false, moved = false;
  std::vector<bool> up, changed;
  std::uint64_t drops = 1;
  Error absent{};
};
Seen watched() {
  Seen seen;
  std::jthread{[&seen] {
    seen.permitted = unshare(CLONE_NEWNET) == 0;
    if (!seen.permitted) return;
    auto absent = LinkWatch::open({"lo", "no-such-port"});
    if (!absent) seen.absent = absent.error();
    auto watch = LinkWatch::open({"lo"});
    seen.opened = watch.has_value();
    if (!seen.opened) return;
    LinkWatch moved{std::move(*watch)};
    seen.up.push_back(moved.up(0));
    seen.changed.push_back(moved.poll());
    for (const bool up : {true, false, true}) {
      if (!set_loopback(up)) return;
      seen.changed.push_back(moved.poll());
      seen.up.push_back(moved.up(0));
      seen.changed.push_back(moved.poll());
    }
    seen.drops = moved.queue_drops(0);
    auto later = LinkWatch::open({"lo"});
    seen.moved = later && later->up(0);
  }}.join();
  return seen;
}

TEST_CASE("interfaces that go up and down are seen, once each", "[link_watch]") {
  const Seen seen = watched();
  if (!seen.permitted) {
    std::cout << "SKIPPED: no right to make a network namespace\n";
    return;
  }
  CHECK(seen.absent.code == ErrorCode::kNotFound);
  CHECK(seen.absent.message.find("no-such-port") != std::string::npos);
  REQUIRE(seen.opened);
  CHECK(seen.up == std::vector<bool>{false, true, false, true});
  CHECK(seen.changed == std::vector<bool>{false, true, false, true, false, true, false});
  CHECK(seen.drops == 0);
  CHECK(seen.moved);
}

}  // namespace
}  // namespace wan::dataplane
