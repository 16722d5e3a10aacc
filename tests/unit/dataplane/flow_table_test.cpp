#include "dataplane/flow_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "core/random.h"

namespace wan::dataplane::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array<std::uint8_t, 16> kSecret{1, 2, 3};

/// A table with its memory and the records it wrote.
struct Metered {
  explicit Metered(std::size_t bytes, FlowTimeouts timeouts = {}, FlowHash::Kind kind = FlowHash::Kind::kBest)
      : memory(bytes),
        table{memory, kSecret, timeouts,
              [this](std::span<const FlowRecord> batch) { records.insert(records.end(), batch.begin(), batch.end()); },
              kind} {}
  std::vector<std::byte> memory;
  std::vector<FlowRecord> records;
  FlowTable table;
};

FlowObservation packet(std::uint32_t flow, std::int64_t time_ns, std::uint32_t bytes = 100, std::uint16_t flags = 0) {
  FlowObservation seen;
  seen.key.ip_version = flow % 3 == 0 ? 6 : 4;
  seen.key.source[0] = 10;
  for (std::size_t i = 0; i < 4; ++i) {
    seen.key.destination[i] = static_cast<std::uint8_t>(flow >> (8 * i));
    if (seen.key.ip_version == 6) seen.key.source[12 + i] = static_cast<std::uint8_t>(flow >> (8 * i));
  }
  seen.key.source_port = 1000;
  seen.key.protocol = 6;
  seen.time_ns = time_ns;
  seen.ip_length = bytes;
  seen.tcp_flags = flags;
  seen.traffic_class = static_cast<std::uint8_t>(flow);
  return seen;
}

/// What the records should be, without hashing, packing or limits: timeouts are kept when the next packet comes.
class Model {
 public:
  explicit Model(FlowTimeouts timeouts) : timeouts_{timeouts} {}

  void update(const FlowObservation& seen) {
    const FlowKey key = unpack(seen.key);
    auto at = live_.find(key);
    if (at != live_.end()) {
      const FlowRecord& record = at->second;
      if (timeouts_.idle_ns > 0 && seen.time_ns - record.last_ns >= timeouts_.idle_ns) {
        end(at, (record.tcp_flags & 5) != 0 ? FlowEnd::kEndOfFlow : FlowEnd::kIdleTimeout);
        at = live_.end();
      } else if (timeouts_.active_ns > 0 && seen.time_ns - record.first_ns >= timeouts_.active_ns) {
        end(at, FlowEnd::kActiveTimeout);
        at = live_.end();
      }
    }
    if (at == live_.end()) {
      at = live_
               .emplace(key, FlowRecord{.key = key,
                                        .first_ns = seen.time_ns,
                                        .last_ns = seen.time_ns,
                                        .traffic_class = seen.traffic_class})
               .first;
    }
    FlowRecord& record = at->second;
    ++record.packets;
    record.ip_bytes += seen.ip_length;
    record.first_ns = std::min(record.first_ns, seen.time_ns);
    record.last_ns = std::max(record.last_ns, seen.time_ns);
    record.tcp_flags |= seen.tcp_flags;
  }

  std::vector<FlowRecord> finish() {
    while (!live_.empty()) end(live_.begin(), FlowEnd::kForcedEnd);
    return done_;
  }

 private:
  void end(std::map<FlowKey, FlowRecord>::iterator at, FlowEnd why) {
    at->second.end = why;
    done_.push_back(at->second);
    live_.erase(at);
  }
  FlowTimeouts timeouts_;
  std::map<FlowKey, FlowRecord> live_;
  std::vector<FlowRecord> done_;
};

std::vector<FlowRecord> sorted(std::vector<FlowRecord> records) {
  std::sort(records.begin(), records.end(), [](const FlowRecord& a, const FlowRecord& b) {
    return std::tie(a.key, a.first_ns, a.last_ns, a.packets) < std::tie(b.key, b.first_ns, b.last_ns, b.packets);
  });
  return records;
}

struct Sum {
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;
  bool operator==(const Sum&) const = default;
};
Sum sum_of(const std::vector<FlowRecord>& records) {
  Sum sum;
  for (const FlowRecord& record : records) {
    sum.packets += record.packets;
    sum.ip_bytes += record.ip_bytes;
  }
  return sum;
}

}  // namespace

TEST_CASE("with room enough the records are those of a plain map, with and without timeouts", "[flow_table]") {
  const auto timeouts =
      GENERATE(FlowTimeouts{}, FlowTimeouts{.active_ns = 20 * kSecond}, FlowTimeouts{.idle_ns = 3 * kSecond},
               FlowTimeouts{.active_ns = 20 * kSecond, .idle_ns = 3 * kSecond});
  const auto kind = GENERATE(FlowHash::Kind::kBest, FlowHash::Kind::kPortable);
  const auto seed = GENERATE(range(1, 6));
  INFO("seed " << seed);
  Rng rng{static_cast<std::uint64_t>(seed), "packets"};
  Metered metered{1 << 20, timeouts, kind};
  Model model{timeouts};
  std::int64_t now = 1'700'000'000 * kSecond;
  std::vector<FlowObservation> batch;
  for (int round = 0; round < 500; ++round) {
    batch.clear();
    for (std::uint64_t n = rng.below(100); n > 0; --n) {
      now += static_cast<std::int64_t>(rng.below(50'000'000));
      const auto jitter = static_cast<std::int64_t>(rng.below(20) == 0 ? rng.below(1'000'000'000) : 0);
      const auto flow = static_cast<std::uint32_t>(rng.below(rng.below(2) == 0 ? 5 : 500));
      const auto flags = static_cast<std::uint16_t>(rng.below(30) == 0 ? 1 : 16);
      batch.push_back(packet(flow, now - jitter, static_cast<std::uint32_t>(40 + rng.below(1460)), flags));
    }
    metered.table.update(batch);
    for (const auto& seen : batch) model.update(seen);
  }
  metered.table.flush();
  CHECK(sorted(metered.records) == sorted(model.finish()));
  CHECK(metered.table.counters().records == metered.records.size());
  CHECK(metered.table.counters().evicted == 0);
  CHECK(metered.table.size() == 0);
}

TEST_CASE("no packet is lost when flows outnumber the memory", "[flow_table]") {
  const auto flows = GENERATE(30u, 60u, 100u, 5'000u, 1'000'000'000u);
  const auto bytes = GENERATE(std::size_t{4096}, std::size_t{65'537});
  Rng rng{flows, "flood"};
  Metered metered{bytes};
  CHECK(metered.table.capacity() * 80 >= bytes - 512);  // 76 bytes a flow, and what alignment takes
  Sum fed;
  std::vector<FlowObservation> batch;
  for (int round = 0; round < 400; ++round) {
    batch.clear();
    for (std::uint64_t n = rng.below(70); n > 0; --n) {
      batch.push_back(packet(static_cast<std::uint32_t>(rng.below(flows)), round * kSecond, 60));
      fed.packets += 1;
      fed.ip_bytes += 60;
    }
    metered.table.update(batch);
    metered.table.sweep(round * kSecond, 4);
    REQUIRE(metered.table.size() <= metered.table.capacity());
  }
  metered.table.flush();
  CHECK(sum_of(metered.records) == fed);
  CHECK(metered.table.counters().packets == fed.packets);
  const auto evicted = std::count_if(metered.records.begin(), metered.records.end(),
                                     [](const FlowRecord& record) { return record.end == FlowEnd::kLackOfResources; });
  CHECK(static_cast<std::uint64_t>(evicted) == metered.table.counters().evicted);
  if (flows > 4 * metered.table.capacity()) CHECK(evicted > 0);
}

TEST_CASE("a flood of new flows does not push out the flows that keep sending", "[flow_table]") {
  Metered metered{1 << 20};
  Rng rng{3, "flood"};
  constexpr std::uint32_t kKnown = 2'000;
  std::vector<FlowObservation> batch;
  std::uint32_t stranger = 1'000'000;
  for (int round = 0; round < 20'000; ++round) {
    batch.clear();
    for (int i = 0; i < 32; ++i) {
      const bool known = rng.below(2) == 0;
      batch.push_back(packet(known ? static_cast<std::uint32_t>(rng.below(kKnown)) : stranger++, round));
    }
    metered.table.update(batch);
    metered.table.sweep(round, 8);
  }
  const auto pushed_out = std::count_if(metered.records.begin(), metered.records.end(),
                                        [](const FlowRecord& record) { return record.packets > 1; });
  metered.table.flush();
  // 2,000 flows in a table for 13,800 beside 320,000 strangers: at most one in a hundred lost its place even once.
  CHECK(pushed_out <= 20);
}

TEST_CASE("sweeping writes the records of flows that went silent, and only theirs", "[flow_table]") {
  Metered metered{1 << 20, {.active_ns = 60 * kSecond, .idle_ns = 10 * kSecond}};
  std::vector<FlowObservation> batch;
  for (std::uint32_t flow = 0; flow < 1000; ++flow) batch.push_back(packet(flow, kSecond));
  metered.table.update(batch);
  for (std::int64_t now = 2; now <= 40; ++now) {
    const FlowObservation busy = packet(0, now * kSecond);
    metered.table.update({&busy, 1});
    metered.table.sweep(now * kSecond, metered.table.bucket_count());
    metered.table.deliver();
    const std::size_t silent = now < 11 ? 0 : 999;
    REQUIRE(metered.records.size() == silent);
    REQUIRE(metered.table.size() == 1000 - silent);
  }
  for (const FlowRecord& record : metered.records) CHECK(record.end == FlowEnd::kIdleTimeout);
}

TEST_CASE("a counter about to overflow ends the record and loses nothing", "[flow_table]") {
  Metered metered{FlowTable::kMemoryMin};
  constexpr std::uint32_t kHuge = 0xffffffff;
  for (int i = 0; i < 1000; ++i) {
    const FlowObservation seen = packet(1, i, kHuge);
    metered.table.update({&seen, 1});
  }
  const FlowObservation late = packet(1, std::int64_t{1} << 50);
  metered.table.update({&late, 1});
  metered.table.flush();
  CHECK(sum_of(metered.records) == Sum{1001, 1000ULL * kHuge + 100});
  CHECK(metered.records.size() == 5);
  CHECK(metered.table.counters().flows == 1);
}

TEST_CASE("a table that takes over another goes on as if it had been there from the start", "[flow_table]") {
  const std::size_t larger_bytes = GENERATE(std::size_t{4096}, std::size_t{1} << 20);
  Rng rng{11, "moves"};
  Metered small{16'384};
  Metered large{larger_bytes};
  Model model{{}};
  Sum fed;
  for (int i = 0; i < 3000; ++i) {
    if (i == 1000) large.table.take_over(small.table);
    const FlowObservation seen = packet(static_cast<std::uint32_t>(rng.below(150)), i * kSecond, 70, 2);
    (i < 1000 ? small : large).table.update({&seen, 1});
    model.update(seen);
    fed.packets += 1;
    fed.ip_bytes += 70;
  }
  CHECK(small.table.size() == 0);
  CHECK(small.records.empty());
  CHECK(small.table.counters().packets == 0);
  large.table.flush();
  CHECK(sum_of(large.records) == fed);
  CHECK(large.table.counters().packets == fed.packets);
  CHECK(large.table.counters().records == large.records.size());
  if (larger_bytes == 4096) {  // smaller, in truth: what finds no room has its record
    CHECK(large.table.counters().evicted > 0);
  } else {
    CHECK(large.table.counters().flows == 150);
    CHECK(sorted(large.records) == sorted(model.finish()));
  }
}

TEST_CASE("packets of one flow within a batch make one flow", "[flow_table]") {
  Metered metered{FlowTable::kMemoryMin};
  const std::vector<FlowObservation> batch(100, packet(5, kSecond));
  metered.table.update(batch);
  CHECK(metered.table.size() == 1);
  metered.table.flush();
  REQUIRE(metered.records.size() == 1);
  CHECK(metered.records[0].packets == 100);
  metered.table.flush();
  CHECK(metered.records.size() == 1);
}

}  // namespace wan::dataplane::test
