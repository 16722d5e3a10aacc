#include "dataplane/pcap_reader.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"
#include "tests/unit/dataplane/packet_bytes.h"

namespace wan::dataplane::test {
namespace {

/// Numbers in the byte order that a file was written in.
struct Order {
  bool big = false;
  [[nodiscard]] Bytes u16(std::size_t value) const {
    Bytes bytes = be16(value);
    if (!big) std::reverse(bytes.begin(), bytes.end());
    return bytes;
  }
  [[nodiscard]] Bytes u32(std::size_t value) const {
    Bytes bytes = be32(value);
    if (!big) std::reverse(bytes.begin(), bytes.end());
    return bytes;
  }
  [[nodiscard]] Bytes u64(std::uint64_t value) const {
    Bytes bytes = be32(value >> 32) + be32(value & 0xffffffff);
    if (!big) std::reverse(bytes.begin(), bytes.end());
    return bytes;
  }
};

Bytes pcap_header(Order order, std::size_t magic, std::size_t link_type) {
  return order.u32(magic) + order.u16(2) + order.u16(4) + order.u32(0) + order.u32(0) + order.u32(65535) +
         order.u32(link_type);
}
Bytes pcap_record(Order order, std::size_t seconds, std::size_t fraction, const Bytes& frame) {
  return order.u32(seconds) + order.u32(fraction) + order.u32(frame.size()) + order.u32(frame.size() + 5) + frame;
}

Bytes padded(Bytes bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}
Bytes block(Order order, std::size_t type, const Bytes& body) {
  const std::size_t length = 12 + padded(body).size();
  return order.u32(type) + order.u32(length) + padded(body) + order.u32(length);
}
Bytes section(Order order) {
  return block(order, 0x0a0d0d0a, order.u32(0x1a2b3c4d) + order.u16(1) + order.u16(0) + order.u64(~std::uint64_t{0}));
}
Bytes interface(Order order, std::size_t link_type, const Bytes& options = {}, std::size_t snap_length = 0) {
  return block(order, 1, order.u16(link_type) + order.u16(0) + order.u32(snap_length) + options);
}
Bytes option(Order order, std::size_t code, const Bytes& value) {
  return order.u16(code) + order.u16(value.size()) + padded(value);
}
Bytes enhanced(Order order, std::size_t number, std::uint64_t time, const Bytes& frame) {
  return block(order, 6,
               order.u32(number) + order.u32(time >> 32) + order.u32(time & 0xffffffff) + order.u32(frame.size()) +
                   order.u32(frame.size() + 5) + frame);
}

struct Frame {
  Bytes bytes;
  std::int64_t time_ns = 0;
  std::uint32_t original_length = 0;
  std::uint16_t link_type = 0;
  bool operator==(const Frame&) const = default;
};

struct Contents {
  std::vector<Frame> frames;
  std::string fault;
};

Contents read_all(const Bytes& file, std::size_t batch = 3) {
  auto reader = PcapReader::open(file, "input");
  if (!reader) return {{}, reader.error().message};
  std::vector<CapturedFrame> frames(batch);
  Contents contents;
  while (const std::size_t count = reader->read(frames)) {
    for (const CapturedFrame& frame : std::span{frames}.first(count)) {
      contents.frames.push_back(
          {{frame.bytes.begin(), frame.bytes.end()}, frame.time_ns, frame.original_length, frame.link_type});
    }
    if (count < batch) break;
  }
  if (reader->fault()) contents.fault = reader->fault()->message;
  return contents;
}

Bytes a_pcapng_file(Order order) {
  const Bytes nanoseconds = option(order, 9, {9}) + option(order, 0, {});
  const Bytes halves = option(order, 2, {'e', 't', 'h'}) + option(order, 9, {0x81}) + option(order, 14, order.u64(100));
  const Order other{!order.big};
  return section(order) + interface(order, 1) + interface(order, 101, nanoseconds) + interface(order, 113, halves) +
         enhanced(order, 0, 1'700'000'000'000'001, {1, 2, 3}) + block(order, 0xbad, {1, 2, 3, 4}) +
         enhanced(order, 1, 1'700'000'000'000'000'007, {4, 5}) + enhanced(order, 2, 3, {6}) +
         block(order, 3, order.u32(2) + Bytes{7, 8}) +
         block(order, 2,
               order.u16(1) + order.u16(0) + order.u32(0) + order.u32(9) + order.u32(1) + order.u32(1) + Bytes{9}) +
         section(other) + interface(other, 228, {}, 2) + enhanced(other, 0, 1, {10}) +
         block(other, 3, other.u32(4) + Bytes{11, 12, 13, 14});
}

}  // namespace

TEST_CASE("pcap files of both byte orders and both resolutions are read", "[pcap_reader]") {
  const Order order{GENERATE(false, true)};
  const Bytes first{1, 2, 3};
  const Bytes second{4};
  const auto frames = [&](std::size_t magic, std::size_t fraction) {
    return read_all(pcap_header(order, magic, 0x10000071) + pcap_record(order, 1'700'000'000, fraction, first) +
                    pcap_record(order, 1'700'000'001, 0, second));
  };
  const Contents micro = frames(0xa1b2c3d4, 999'999);
  CHECK(micro.fault.empty());
  REQUIRE(micro.frames.size() == 2);
  CHECK(micro.frames[0] == Frame{first, 1'700'000'000'999'999'000, 8, 113});
  CHECK(micro.frames[1] == Frame{second, 1'700'000'001'000'000'000, 6, 113});
  const Contents nano = frames(0xa1b23c4d, 999'999'999);
  REQUIRE(nano.frames.size() == 2);
  CHECK(nano.frames[0].time_ns == 1'700'000'000'999'999'999);
}

TEST_CASE("the modified pcap variant has eight bytes more a frame", "[pcap_reader]") {
  const Order order;
  const Contents read = read_all(pcap_header(order, 0xa1b2cd34, 1) + order.u32(1) + order.u32(2) + order.u32(1) +
                                 order.u32(1) + Bytes(8, 0) + Bytes{42});
  REQUIRE(read.frames.size() == 1);
  CHECK(read.frames[0] == Frame{{42}, 1'000'002'000, 1, 1});
}

TEST_CASE("pcapng sections, interfaces, clocks and block types are read", "[pcap_reader]") {
  const Order order{GENERATE(false, true)};
  const std::size_t batch = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{64});
  const Contents read = read_all(a_pcapng_file(order), batch);
  CHECK(read.fault.empty());
  const std::vector<Frame> expected{{{1, 2, 3}, 1'700'000'000'000'001'000, 8, 1},
                                    {{4, 5}, 1'700'000'000'000'000'007, 7, 101},
                                    {{6}, 101'500'000'000, 6, 113},
                                    {{7, 8}, 0, 2, 1},
                                    {{9}, 9, 1, 101},
                                    {{10}, 1'000, 6, 228},
                                    {{11, 12}, 0, 4, 228}};
  CHECK(read.frames == expected);
}

TEST_CASE("every prefix of a capture gives the frames that lie within it, and says when it was cut", "[pcap_reader]") {
  const Order order;
  Bytes classic = pcap_header(order, 0xa1b2c3d4, 1);
  std::vector<std::size_t> ends{classic.size()};
  for (std::uint8_t i = 0; i < 4; ++i) {
    classic = classic + pcap_record(order, i, 0, Bytes(i, i));
    ends.push_back(classic.size());
  }
  const Contents whole = read_all(classic);
  for (std::size_t size = 24; size <= classic.size(); ++size) {
    Bytes prefix(classic.begin(), classic.begin() + static_cast<std::ptrdiff_t>(size));
    prefix.shrink_to_fit();
    const Contents read = read_all(prefix);
    const auto complete = std::upper_bound(ends.begin(), ends.end(), size) - ends.begin() - 1;
    REQUIRE(read.frames.size() == static_cast<std::size_t>(complete));
    REQUIRE(std::equal(read.frames.begin(), read.frames.end(), whole.frames.begin()));
    const bool at_end = std::find(ends.begin(), ends.end(), size) != ends.end();
    REQUIRE(read.fault.empty() == at_end);
    if (!at_end) REQUIRE(read.fault.starts_with("input: "));
  }
  const Bytes next = a_pcapng_file(order);
  const Contents all = read_all(next);
  for (std::size_t size = 0; size < next.size(); ++size) {
    Bytes prefix(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(size));
    prefix.shrink_to_fit();
    const Contents read = read_all(prefix);
    REQUIRE(read.frames.size() <= all.frames.size());
    REQUIRE(std::equal(read.frames.begin(), read.frames.end(), all.frames.begin()));
  }
}

TEST_CASE("what is no capture is refused with the reason", "[pcap_reader]") {
  CHECK(read_all({}).fault == "input: too short for a capture file");
  CHECK(read_all(Bytes(100, 0)).fault == "input: neither pcap nor pcapng");
  CHECK(read_all({0x1f, 0x8b, 8, 0, 0}).fault == "input: compressed; unpack it first (gunzip)");
  CHECK(read_all(Bytes{0x0a, 0x0d, 0x0d, 0x0a} + Bytes(40, 0)).fault ==
        "input: a pcapng section header with an unknown byte order");
  const Order order;
  CHECK(read_all(section(order) + enhanced(order, 0, 0, {1})).fault ==
        "input: a packet of an interface that was not described at byte 28; the frames before it are counted");
}

TEST_CASE("clocks beyond all reason are brought to the edge of time", "[pcap_reader]") {
  const Order order;
  for (const std::uint8_t resolution : Bytes{0, 3, 6, 9, 12, 40, 127, 128, 192, 255}) {
    for (const std::uint64_t offset : {std::uint64_t{0}, ~std::uint64_t{0} >> 1, std::uint64_t{1} << 63}) {
      const Bytes options = option(order, 9, {resolution}) + option(order, 14, order.u64(offset));
      const Contents read =
          read_all(section(order) + interface(order, 1, options) + enhanced(order, 0, ~std::uint64_t{0}, {1}));
      REQUIRE(read.frames.size() == 1);
      CHECK(read.frames[0].time_ns >= 0);
      CHECK(read.frames[0].time_ns <= std::int64_t{1} << 62);
    }
  }
}

TEST_CASE("a capture read again gives the same frames", "[pcap_reader]") {
  const Order order{GENERATE(false, true)};
  const Bytes file = a_pcapng_file(order);
  auto reader = PcapReader::open(file, "input");
  REQUIRE(reader);
  std::vector<CapturedFrame> frames(64);
  CHECK(reader->read(frames) == 7);
  CHECK(reader->read(frames) == 0);
  reader->rewind();
  CHECK(reader->read(frames) == 7);
  CHECK(frames[0].time_ns == 1'700'000'000'000'001'000);
}

TEST_CASE("no mutation of a capture leads the reader beyond its bytes", "[pcap_reader]") {
  constexpr std::uint64_t kSeed = 77;
  INFO("seed " << kSeed);
  Rng rng{kSeed, "captures"};
  const Order order;
  const std::vector<Bytes> originals{
      a_pcapng_file({false}), a_pcapng_file({true}),
      pcap_header(order, 0xa1b2c3d4, 1) + pcap_record(order, 1, 2, {1, 2, 3}) + pcap_record(order, 1, 2, {4})};
  for (int round = 0; round < 20'000; ++round) {
    Bytes file = originals[rng.below(originals.size())];
    for (std::uint64_t n = rng.below(5); n > 0; --n) {
      file[rng.below(file.size())] = static_cast<std::uint8_t>(rng.below(3) == 0 ? rng.next() : rng.below(40));
    }
    file.resize(rng.below(4) == 0 ? rng.below(file.size() + 1) : file.size());
    file.shrink_to_fit();
    const Contents read = read_all(file);
    REQUIRE(read.frames.size() <= file.size() / 12);
  }
}

}  // namespace wan::dataplane::test
