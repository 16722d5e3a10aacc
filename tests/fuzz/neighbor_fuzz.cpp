// Any frame as ARP or neighbour discovery, read and given to a resolver. The first byte chooses the port.

#include "dataplane/neighbor_resolver.h"
#include "tests/fuzz/expectations.h"
#include "tests/unit/dataplane/small_node.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using wan::dataplane::NeighborMessage;
  using wan::fuzz::expect;
  static const wan::dataplane::test::SmallNode node;
  if (size < 1) return 0;
  const std::size_t port = data[0] & 3U;
  const std::vector<std::uint8_t> frame{data + 1, data + size};
  const auto message = wan::dataplane::parse_neighbor_message(frame);
  wan::dataplane::NeighborResolver resolver{node.facts, {}};
  const auto outcome = resolver.receive(frame, port, wan::Duration{1});
  if (!message) {
    expect(outcome.send.empty() && !outcome.changed, "what is no message does nothing");
    return 0;
  }
  expect(message->sender.is_v6() == message->target.is_v6(), "one family");
  for (const auto& sent : outcome.send) {
    const auto answer = wan::dataplane::parse_neighbor_message(sent.bytes);
    expect(sent.port == port && answer && answer->kind == NeighborMessage::Kind::kReply, "an answer that can be read");
    expect(answer->target == message->target && answer->mac == node.facts.ports[port].mac, "what was asked for");
  }
  for (const auto& entry : resolver.entries()) {
    expect(entry.port == port && (entry.mac[0] & 1) == 0, "a station of this port");
    bool on_link = node.facts.ports[port].neighbor == entry.address;
    for (const auto& own : node.facts.ports[port].addresses) {
      expect(own.address != entry.address, "not our own address");
      on_link = on_link || own.address.masked(own.prefix_length) == entry.address.masked(own.prefix_length);
    }
    expect(on_link, "an address of this link");
  }
  return 0;
}
