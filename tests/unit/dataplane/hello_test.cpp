#include "dataplane/hello.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace wan::dataplane {
namespace {

using std::chrono::milliseconds;
constexpr HelloOptions kOptions{.interval = milliseconds{10}, .misses = 4};

TEST_CASE("a hello says whether the neighbour's are heard; other frames are none", "[hello]") {
  const MacAddress own{2, 0, 0, 0, 0, 7};
  const auto heard = hello_frame(own, true), alone = hello_frame(own, false);
  CHECK(parse_hello(heard) == HelloKind::kHeard);
  CHECK(parse_hello(alone) == HelloKind::kNotHeard);
  CHECK((heard[0] & 1) == 1);
  CHECK(std::equal(own.begin(), own.end(), heard.begin() + 6));
  for (std::size_t size = 0; size < 20; ++size) CHECK(parse_hello(std::span{heard}.first(size)) == HelloKind::kNone);
  CHECK(parse_hello(std::span{heard}.first(20)) == HelloKind::kHeard);
  for (std::size_t at = 12; at < 19; ++at) {  // type, magic, version
    auto other = heard;
    ++other[at];
    CHECK(parse_hello(other) == HelloKind::kNone);
  }
}

TEST_CASE("a link is up once both ends hear each other, and down when one does not", "[hello]") {
  HelloMonitor monitor{kOptions};
  CHECK_FALSE(monitor.up());
  monitor.check(HelloKind::kNone, Duration{0}, milliseconds{0});
  CHECK_FALSE(monitor.heard());
  monitor.check(HelloKind::kNotHeard, milliseconds{5}, milliseconds{10});
  CHECK(monitor.heard());
  CHECK_FALSE(monitor.up());
  monitor.check(HelloKind::kHeard, milliseconds{15}, milliseconds{20});
  CHECK(monitor.up());
  monitor.check(HelloKind::kNotHeard, milliseconds{25}, milliseconds{30});
  CHECK(monitor.heard());
  CHECK_FALSE(monitor.up());
}

TEST_CASE("a link is down after four missing hellos, not before", "[hello]") {
  HelloMonitor monitor{kOptions};
  for (int now = 0; now <= 200; now += 5) {
    const int last = std::min(now, 100);
    monitor.check(HelloKind::kHeard, milliseconds{last}, milliseconds{now});
    INFO("at " << now << " ms");
    CHECK(monitor.up() == (now - last < 40));
  }
}

TEST_CASE("a monitor that was held up waits that much longer, four intervals at most", "[hello]") {
  for (const int pause : {10, 30, 60, 1000}) {
    HelloMonitor monitor{kOptions};
    monitor.check(HelloKind::kHeard, milliseconds{0}, milliseconds{0});
    const int late = pause - 10;
    int down_at = -1;
    for (int now = pause; now < pause + 400; now += 1) {
      monitor.check(HelloKind::kHeard, milliseconds{pause - 20}, milliseconds{now});
      if (!monitor.up()) {
        down_at = now - pause;
        break;
      }
    }
    INFO("held up for " << pause << " ms");
    // The allowance melts while the last hello's age grows, so that they meet halfway.
    const int allowance = std::min(late, 40);
    CHECK(down_at == std::max(20, (20 + allowance) / 2));
  }
}

TEST_CASE("hellos that come in time keep a link up, however late the monitor looks", "[hello]") {
  Rng rng{1, "hellos"};
  HelloMonitor monitor{kOptions};
  std::int64_t now = 0;
  for (int i = 0; i < 5000; ++i) {
    now += static_cast<std::int64_t>(rng.below(10) == 0 ? rng.below(75) : rng.below(12));
    monitor.check(HelloKind::kHeard, milliseconds{now - static_cast<std::int64_t>(rng.below(40))}, milliseconds{now});
    REQUIRE(monitor.up());
  }
}

}  // namespace
}  // namespace wan::dataplane
