// Any frame on any port of a node with programs of every kind. The first three bytes choose the port and which ports
// are up, the headroom, and whether the frame is given the port's address and whether it is the node's own packet.

#include "dataplane/icmp.h"
#include "tests/fuzz/expectations.h"
#include "tests/unit/dataplane/small_node.h"

namespace {

using wan::dataplane::PacketBuffer;
using wan::dataplane::Verdict;
using wan::dataplane::test::Bytes;
using wan::dataplane::test::ExactFrame;
using wan::dataplane::test::SmallNode;
using wan::fuzz::expect;

void expect_sound(const SmallNode& node, const Verdict& verdict, const PacketBuffer& packet, std::uint32_t room) {
  expect(packet.headroom + packet.length + packet.tailroom == room, "the packet stays within its memory");
  switch (verdict.kind) {
    case Verdict::Kind::kSend:
      expect(verdict.port < node.facts.ports.size() && node.states->up(verdict.port), "a port that is up");
      expect(packet.length >= 34 && packet.length <= 14 + node.facts.ports[verdict.port].mtu, "a frame that fits");
      break;
    case Verdict::Kind::kDrop:
      expect(static_cast<std::size_t>(verdict.reason) < wan::dataplane::kDropReasonCount, "a reason");
      break;
    case Verdict::Kind::kSlowPath:
      expect(verdict.slow != Verdict::Slow::kResolve || verdict.next_hop != wan::IpAddress{}, "a next hop");
      expect(verdict.slow != Verdict::Slow::kTooBig || verdict.mtu >= 1000, "an MTU that would do");
      break;
    case Verdict::Kind::kHello:
      break;
  }
  expect(!verdict.entered || verdict.egress_counter < node.table->counter_names().size(), "a counter that exists");
  expect(verdict.cls < wan::dataplane::kClassesMax, "a class that exists");
}

/// What the control thread would tell the source goes through the node as its own packet.
void answer(const SmallNode& node, const Verdict& verdict, const Bytes& packet) {
  const auto& own = node.facts.ports[0].addresses;
  const bool v6 = !packet.empty() && packet[0] >> 4 == 6;
  const auto reply = verdict.slow == Verdict::Slow::kOwnAddress ? wan::dataplane::echo_reply(packet)
                     : verdict.slow == Verdict::Slow::kTtlExpired
                         ? wan::dataplane::time_exceeded(packet, own[v6 ? 1 : 0].address)
                         : wan::dataplane::packet_too_big(packet, own[v6 ? 1 : 0].address, verdict.mtu);
  if (!reply) return;
  ExactFrame held{*reply, 400};
  const std::uint32_t room = held.buffer().length + held.buffer().headroom;
  const Verdict next =
      wan::dataplane::Forwarder{node.facts, *node.states}.originate(held.buffer(), *node.table, node.neighbors);
  expect(!next.entered, "our own packets are no customer's");
  expect_sound(node, next, held.buffer(), room);
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static SmallNode node;
  if (size < 3) return 0;
  const std::size_t port = data[0] & 3U;
  for (std::size_t at = 0; at < 4; ++at) node.states->set(at, (data[0] >> (4 + at) & 1) == 0);
  Bytes frame{data + 3, data + size};
  if ((data[2] & 1) != 0 && frame.size() >= 6) {
    std::copy_n(node.facts.ports[port].mac.begin(), 6, frame.begin());
  }
  ExactFrame held{frame, std::uint32_t{data[1]} * 2};
  const std::uint32_t room = held.buffer().length + held.buffer().headroom;
  Verdict verdict;
  if ((data[2] & 2) != 0) {
    verdict = wan::dataplane::Forwarder{node.facts, *node.states}.originate(held.buffer(), *node.table, node.neighbors);
  } else {
    verdict = node.forward(held, port);
  }
  expect_sound(node, verdict, held.buffer(), room);
  using Slow = Verdict::Slow;
  if (verdict.kind == Verdict::Kind::kSlowPath &&
      (verdict.slow == Slow::kOwnAddress || verdict.slow == Slow::kTtlExpired || verdict.slow == Slow::kTooBig)) {
    answer(node, verdict, held.bytes());
  }
  return 0;
}
