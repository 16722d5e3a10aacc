#include "dataplane/published.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "dataplane/spsc_queue.h"

namespace wan::dataplane {
namespace {

/// Tells by its content that it is gone.
struct Snapshot {
  explicit Snapshot(std::uint64_t value) : first{value}, last{value} {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { first.store(0), last.store(~std::uint64_t{0}); }
  std::atomic<std::uint64_t> first, last;
};

TEST_CASE("readers never see a snapshot that is gone, and see new ones in order", "[published]") {
  constexpr std::size_t kReaders = 3;
  constexpr std::uint64_t kVersions = 400;
  QuietPoints quiet{kReaders};
  Published<Snapshot> published{std::make_unique<const Snapshot>(1)};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> faults{0};
  {
    std::vector<std::jthread> readers;
    for (std::size_t r = 0; r < kReaders; ++r) {
      readers.emplace_back([&, r] {
        std::uint64_t newest = 0;
        while (!stop.load(std::memory_order_relaxed)) {
          for (int packet = 0; packet < 8; ++packet) {
            const Snapshot& now = published.read();
            const std::uint64_t first = now.first.load(), last = now.last.load();
            if (first != last || first < newest) ++faults;
            newest = first;
          }
          quiet.pass(r);
        }
        quiet.leave(r);
      });
    }
    for (std::uint64_t version = 2; version <= kVersions; ++version) {
      published.replace(std::make_unique<const Snapshot>(version), quiet);
    }
    stop = true;
  }
  CHECK(faults == 0);
  CHECK(published.read().first == kVersions);
  published.replace(std::make_unique<const Snapshot>(7), quiet);  // nobody is left to wait for
  CHECK(published.read().first == 7);
}

TEST_CASE("a queue between two threads keeps order and counts what it could not take", "[spsc_queue]") {
  SpscQueue<std::uint64_t> queue{1000};
  std::uint64_t value = 0;
  CHECK_FALSE(queue.pop(value));
  for (std::uint64_t i = 0; i < 1100; ++i) queue.push(i);  // room for 1,024
  CHECK(queue.lost() == 76);
  for (std::uint64_t i = 0; i < 1024; ++i) {
    REQUIRE(queue.pop(value));
    REQUIRE(value == i);
  }
  CHECK_FALSE(queue.pop(value));

  SpscQueue<std::uint64_t> small{16};
  constexpr std::uint64_t kCount = 200'000;
  std::atomic<bool> done{false};
  std::jthread writer{[&] {
    for (std::uint64_t i = 1; i <= kCount; ++i) small.push(i);
    done = true;
  }};
  std::uint64_t last = 0, taken = 0;
  bool in_order = true;
  while (true) {
    const bool ended = done.load();
    if (small.pop(value)) {
      in_order = in_order && value > last;
      last = value;
      ++taken;
    } else if (ended) {
      break;
    }
  }
  CHECK(in_order);
  CHECK(taken + small.lost() == kCount);
}

}  // namespace
}  // namespace wan::dataplane
