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

TEST_CASE("silence while nobody listened counts as one missing hello at most", "[hello]") {
  for (const int pause : {10, 30, 60, 1000, 100'000}) {
    HelloMonitor monitor{kOptions};
    monitor.check(HelloKind::kHeard, milliseconds{7}, milliseconds{7});
    int down_at = -1;
    for (int now = 7 + pause; now < pause + 400; ++now) {
      monitor.check(HelloKind::kHeard, milliseconds{7}, milliseconds{now});
      if (!monitor.up()) {
        down_at = now;
        break;
      }
    }
    INFO("held up for " << pause << " ms");
    CHECK(down_at == 7 + pause + 30);
  }
}

TEST_CASE("a hello that waited unread counts from when the monitor could read it", "[hello]") {
  HelloMonitor monitor{kOptions};
  monitor.check(HelloKind::kHeard, milliseconds{1}, milliseconds{1});
  monitor.check(HelloKind::kHeard, milliseconds{3}, milliseconds{500});
  CHECK(monitor.up());
  monitor.check(HelloKind::kHeard, milliseconds{3}, milliseconds{529});
  CHECK(monitor.up());
  for (int now = 530; now < 560; ++now) monitor.check(HelloKind::kHeard, milliseconds{3}, milliseconds{now});
  CHECK_FALSE(monitor.up());
}

TEST_CASE("a dead link is found however irregularly the monitor looks, at most one look a miss later", "[hello]") {
  Rng rng{2, "looks"};
  for (int run = 0; run < 200; ++run) {
    HelloMonitor monitor{kOptions};
    monitor.check(HelloKind::kHeard, milliseconds{0}, milliseconds{0});
    std::int64_t now = 0;
    std::int64_t listened = 0;  // as the monitor should count it
    while (listened < 40) {
      REQUIRE(monitor.up());
      const auto step = static_cast<std::int64_t>(rng.below(5) == 0 ? rng.below(300) : rng.below(12));
      now += step;
      listened += std::min<std::int64_t>(step, 10);
      monitor.check(HelloKind::kHeard, milliseconds{0}, milliseconds{now});
    }
    CHECK_FALSE(monitor.up());
  }
}

TEST_CASE("a monitor whose listener stands still does not age", "[hello]") {
  HelloMonitor monitor{kOptions};
  for (int i = 0; i < 1000; ++i) monitor.check(HelloKind::kHeard, milliseconds{5}, milliseconds{6});
  CHECK(monitor.up());
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
