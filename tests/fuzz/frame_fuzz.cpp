#include <vector>

#include "dataplane/flow_observation.h"
#include "dataplane/link_type.h"
#include "dataplane/packet_view.h"
#include "tests/fuzz/expectations.h"

// The first byte picks a link type, the rest is the frame.
int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace wan::dataplane;
  using wan::fuzz::expect;
  static constexpr std::uint16_t kLinkTypes[] = {1, 0, 9, 12, 14, 50, 101, 104, 108, 113, 228, 229, 276, 999};
  if (size == 0) return 0;
  const std::vector<std::uint8_t> frame(data + 1, data + size);  // an allocation of its own: a read beyond it is seen
  const std::uint16_t link_type = kLinkTypes[data[0] % std::size(kLinkTypes)];
  const PacketView view = parse_link(link_type, frame);
  expect(view.size == frame.size(), "the view is of the frame");
  FlowObservation seen;
  expect(observe_frame(link_type, frame, 7, seen) == view.status, "the short way comes to the same status");
  if (view.status != PacketStatus::kIp) return 0;
  const std::size_t ip_end = std::size_t{view.l3_offset} + view.ip_captured;
  expect(view.ip_version == 4 || view.ip_version == 6, "a version that is known");
  expect(std::size_t{view.l3_offset} + view.ip_header_length <= ip_end && ip_end <= frame.size(),
         "the IP packet lies within the frame");
  expect(frame[view.l3_offset] >> 4 == view.ip_version, "the header is where the view says");
  expect(view.ip_length == 0 || view.ip_captured <= view.ip_length, "no more is here than the header claims");
  expect(view.l4_offset == 0 || (view.l4_offset >= view.l3_offset + view.ip_header_length && view.l4_offset < ip_end),
         "the transport header lies within the packet");
  expect(view.fragment_offset == 0 || (view.l4_offset == 0 && view.source_port == 0 && view.destination_port == 0),
         "later fragments have no ports");
  expect(view.srh_offset == 0 || (std::size_t{view.srh_offset} + 8 <= ip_end && frame[view.srh_offset + 2] == 4),
         "the routing header is where the view says");
  const FlowObservation slow = observe(view, 7);
  expect(seen.key == slow.key && seen.ip_length == slow.ip_length && seen.tcp_flags == slow.tcp_flags &&
             seen.traffic_class == slow.traffic_class && seen.time_ns == 7,
         "the short way comes to the same observation");
  expect(unpack(packed_flow_key(view)) == flow_key(view) && pack(flow_key(view)) == packed_flow_key(view),
         "a key packed and unpacked is the same key");
  return 0;
}
