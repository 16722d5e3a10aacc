#include "dataplane/ipfix_writer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "core/random.h"

namespace wan::dataplane::test {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::int64_t kSecond = 1'000'000'000;

std::uint64_t number(const Bytes& bytes, std::size_t at, std::size_t count) {
  REQUIRE(at + count <= bytes.size());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

/// A collector written from RFC 7011 alone: it knows no template but those it was sent.
struct Collector {
  std::map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::size_t>>> templates;
  std::vector<std::map<std::uint64_t, Bytes>> records;  ///< element -> value
  std::size_t template_sets = 0;
  std::size_t messages = 0;

  void receive(const Bytes& message, std::uint64_t domain, std::uint64_t seconds) {
    REQUIRE(number(message, 0, 2) == 10);
    REQUIRE(number(message, 2, 2) == message.size());
    REQUIRE(number(message, 4, 4) == seconds);
    REQUIRE(number(message, 8, 4) == records.size());
    REQUIRE(number(message, 12, 4) == domain);
    ++messages;
    for (std::size_t at = 16; at < message.size();) {
      const std::uint64_t set = number(message, at, 2);
      const std::size_t end = at + number(message, at + 2, 2);
      REQUIRE(end <= message.size());
      REQUIRE(end > at + 4);
      at += 4;
      if (set == 2) {
        ++template_sets;
        while (at < end) at = read_template(message, at);
      } else {
        REQUIRE(templates.count(set) == 1);
        while (at < end) at = read_record(message, at, templates[set]);
      }
      REQUIRE(at == end);
    }
  }

 private:
  std::size_t read_template(const Bytes& message, std::size_t at) {
    const std::uint64_t id = number(message, at, 2);
    REQUIRE(id > 255);
    auto& fields = templates[id];
    fields.clear();
    for (std::uint64_t n = number(message, at + 2, 2); n > 0; --n) {
      at += 4;
      fields.emplace_back(number(message, at, 2), number(message, at + 2, 2));
    }
    return at + 4;
  }
  std::size_t read_record(const Bytes& message, std::size_t at,
                          const std::vector<std::pair<std::uint64_t, std::size_t>>& fields) {
    auto& record = records.emplace_back();
    for (const auto& [element, length] : fields) {
      REQUIRE(at + length <= message.size());
      const auto begin = message.begin() + static_cast<std::ptrdiff_t>(at);
      record[element] = Bytes(begin, begin + static_cast<std::ptrdiff_t>(length));
      at += length;
    }
    return at;
  }
};

std::uint64_t value(const std::map<std::uint64_t, Bytes>& record, std::uint64_t element) {
  const auto found = record.find(element);
  REQUIRE(found != record.end());
  return number(found->second, 0, found->second.size());
}

FlowRecord drawn_record(Rng& rng) {
  const auto byte = [&] { return static_cast<std::uint8_t>(rng.next()); };
  FlowRecord record;
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  for (auto& b : source) b = byte();
  for (auto& b : destination) b = byte();
  const bool v6 = rng.below(3) == 0;
  record.key.source = v6 ? IpAddress::v6(source) : IpAddress::v4({source[0], source[1], source[2], source[3]});
  record.key.destination =
      v6 ? IpAddress::v6(destination) : IpAddress::v4({destination[0], destination[1], destination[2], destination[3]});
  record.key.source_port = static_cast<std::uint16_t>(rng.next());
  record.key.destination_port = static_cast<std::uint16_t>(rng.next());
  record.key.protocol = byte();
  record.packets = rng.next();
  record.ip_bytes = rng.next();
  record.first_ns = static_cast<std::int64_t>(rng.next() >> 2);
  record.last_ns = record.first_ns + 12'345'678;
  record.tcp_flags = static_cast<std::uint16_t>(rng.below(4096));
  record.traffic_class = byte();
  record.end = static_cast<FlowEnd>(1 + rng.below(5));
  return record;
}

void expect_same(const std::map<std::uint64_t, Bytes>& got, const FlowRecord& sent) {
  const bool v6 = sent.key.source.is_v6();
  const auto address = [&](std::uint64_t element, const IpAddress& of) {
    const Bytes bytes(of.bytes().begin(), of.bytes().begin() + static_cast<std::ptrdiff_t>(of.size()));
    REQUIRE(got.at(element) == bytes);
  };
  address(v6 ? 27 : 8, sent.key.source);
  address(v6 ? 28 : 12, sent.key.destination);
  REQUIRE(value(got, 7) == sent.key.source_port);
  REQUIRE(value(got, 11) == sent.key.destination_port);
  REQUIRE(value(got, 4) == sent.key.protocol);
  REQUIRE(value(got, 60) == (v6 ? 6 : 4));
  REQUIRE(value(got, 5) == sent.traffic_class);
  REQUIRE(value(got, 136) == static_cast<std::uint64_t>(sent.end));
  REQUIRE(value(got, 6) == sent.tcp_flags);
  REQUIRE(value(got, 2) == sent.packets);
  REQUIRE(value(got, 1) == sent.ip_bytes);
  REQUIRE(value(got, 152) == static_cast<std::uint64_t>(sent.first_ns / 1'000'000));
  REQUIRE(value(got, 153) == static_cast<std::uint64_t>(sent.last_ns / 1'000'000));
}

}  // namespace

TEST_CASE("a collector reads back what was written, in messages within their size", "[ipfix_writer]") {
  const std::size_t size_max = GENERATE(std::size_t{512}, std::size_t{1452}, std::size_t{65'535});
  const auto seed = GENERATE(range(1, 6));
  INFO("seed " << seed << ", messages of " << size_max);
  Rng rng{static_cast<std::uint64_t>(seed), "records"};
  Collector collector;
  std::int64_t now = 1'700'000'000 * kSecond;
  std::size_t largest = 0;
  IpfixWriter writer{
      {.observation_domain = 7, .message_bytes_max = size_max}, [&](std::span<const std::uint8_t> message) {
        largest = std::max(largest, message.size());
        collector.receive({message.begin(), message.end()}, 7, static_cast<std::uint64_t>(now / kSecond));
      }};
  std::vector<FlowRecord> sent;
  for (int round = 0; round < 40; ++round) {
    std::vector<FlowRecord> batch(rng.below(100));
    for (FlowRecord& record : batch) record = drawn_record(rng);
    writer.write(batch, now);
    sent.insert(sent.end(), batch.begin(), batch.end());
    if (rng.below(4) == 0) writer.flush(now);
    now += static_cast<std::int64_t>(rng.below(5)) * kSecond;
  }
  writer.flush(now);
  CHECK(largest <= size_max);
  CHECK(writer.records() == sent.size());
  CHECK(writer.messages() == collector.messages);
  REQUIRE(collector.records.size() == sent.size());
  // A message holds its IPv4 records before its IPv6 records; each kind keeps its order.
  for (const bool v6 : {false, true}) {
    std::size_t at = 0;
    for (const FlowRecord& record : sent) {
      if (record.key.source.is_v6() != v6) continue;
      while (value(collector.records.at(at), 60) != (v6 ? 6 : 4)) ++at;
      expect_same(collector.records.at(at++), record);
    }
  }
}

TEST_CASE("templates go out first and again after each interval, and never count as records", "[ipfix_writer]") {
  Collector collector;
  std::int64_t now = 0;
  std::vector<std::size_t> sets;
  IpfixWriter writer{
      {.observation_domain = 1, .template_interval_ns = 10 * kSecond}, [&](std::span<const std::uint8_t> message) {
        collector.receive({message.begin(), message.end()}, 1, static_cast<std::uint64_t>(now / kSecond));
        sets.push_back(collector.template_sets);
      }};
  Rng rng{1, "records"};
  for (int second = 0; second < 35; ++second) {
    now = second * kSecond;
    const FlowRecord record = drawn_record(rng);
    writer.write({&record, 1}, now);
    writer.flush(now);
  }
  REQUIRE(sets.size() == 35);
  CHECK(sets[0] == 1);
  CHECK(sets[9] == 1);
  CHECK(sets[10] == 2);
  CHECK(sets[34] == 4);
  writer.flush(now);
  CHECK(sets.size() == 35);  // nothing waits, nothing is sent
}

}  // namespace wan::dataplane::test
