#include "core/units.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/ids.h"

using namespace wan;
using namespace std::chrono_literals;

TEST_CASE("rates convert between their units without loss of scale", "[units]") {
  CHECK(BitRate::gbps(10).bps() == 1e10);
  CHECK(BitRate::mbps(2.5).bps() == 2.5e6);
  CHECK(BitRate::kbps(8).bps() == 8000.0);
  CHECK(BitRate::bps(3e9).gbps() == 3.0);
  CHECK(BitRate::bps(3e9).mbps() == 3000.0);
}

TEST_CASE("rates add, scale, compare and divide into a fraction", "[units]") {
  BitRate rate = BitRate::gbps(1) + BitRate::gbps(2) - BitRate::mbps(500);
  CHECK(rate == BitRate::mbps(2500));
  rate += BitRate::mbps(500);
  CHECK(rate * 2.0 == 2.0 * rate);
  CHECK(rate / BitRate::gbps(10) == Approx(0.3));
  CHECK(BitRate::mbps(999) < BitRate::gbps(1));
}

TEST_CASE("bytes over time make a rate and back", "[units]") {
  CHECK((ByteCount::bytes(1'250'000) / Duration{10ms}).bps() == Approx(1e9));
  CHECK((BitRate::gbps(1) * Duration{10ms}).count() == 1'250'000);
  CHECK((BitRate::bps(12) * Duration{1s}).count() == 2);  // 1.5 bytes round to the nearest
  ByteCount sum = ByteCount::bytes(3);
  sum += ByteCount::bytes(4);
  CHECK(sum + ByteCount::bytes(1) == ByteCount::bytes(8));
  CHECK(to_milliseconds(Duration{1500us}) == 1.5);
  CHECK(to_seconds(Duration{250ms}) == 0.25);
}

TEST_CASE("ids of different kinds are different types and order by index", "[ids]") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<NodeId, LinkId>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::size_t, NodeId>);
  CHECK(NodeId{3} < NodeId{4});
  CHECK(NodeId{7}.index() == 7);
  CHECK(NodeId{} == NodeId{0});
}

TEST_CASE("digest tells where one text ends and the next begins", "[digest]") {
  Digest split_early;
  split_early.add("a");
  split_early.add("bc");
  Digest split_late;
  split_late.add("ab");
  split_late.add("c");
  CHECK(split_early.hex() != split_late.hex());
  CHECK(split_early.hex().size() == 16);
  CHECK(Digest{}.hex() == "cbf29ce484222325");  // FNV-1a's offset basis
}
