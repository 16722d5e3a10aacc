#include <array>
#include <cstddef>
#include <vector>

#include "dataplane/flow_table.h"
#include "dataplane/ipfix_writer.h"
#include "dataplane/link_type.h"
#include "dataplane/pcap_reader.h"
#include "tests/fuzz/expectations.h"

// A capture file through reader, parser, a table of few flows with timeouts, and the IPFIX writer.
int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace wan::dataplane;
  using wan::fuzz::expect;
  const std::vector<std::uint8_t> file(data, data + size);
  auto reader = PcapReader::open(file, "input");
  if (!reader) {
    wan::fuzz::expect_good_message(reader.error());
    return 0;
  }
  std::uint64_t packets = 0;
  std::uint64_t recorded = 0;
  std::uint64_t exported_bytes = 0;
  IpfixWriter writer{{.message_bytes_max = 512}, [&](std::span<const std::uint8_t> message) {
                       expect(message.size() <= 512, "a message within its size");
                       exported_bytes += message.size();
                     }};
  std::vector<std::byte> memory(FlowTable::kMemoryMin);
  FlowTable table{memory,
                  {1, 2, 3},
                  {.active_ns = 1'000'000'000, .idle_ns = 100'000'000},
                  [&](std::span<const wan::FlowRecord> records) {
                    for (const auto& record : records) {
                      recorded += record.packets;
                      expect(record.packets > 0 && record.first_ns <= record.last_ns, "a record of something");
                    }
                    writer.write(records, 0);
                  }};
  std::array<CapturedFrame, 16> frames;
  while (const std::size_t count = reader->read(frames)) {
    for (const CapturedFrame& frame : std::span{frames}.first(count)) {
      expect(frame.bytes.data() >= file.data() && frame.bytes.data() + frame.bytes.size() <= file.data() + file.size(),
             "a frame within the file");
      expect(frame.time_ns >= 0 && frame.time_ns <= std::int64_t{1} << 62, "a time within bounds");
      const PacketView view = parse_link(frame.link_type, frame.bytes);
      if (view.status != PacketStatus::kIp) continue;
      const FlowObservation seen = observe(view, frame.time_ns);
      table.update({&seen, 1});
      table.sweep(frame.time_ns, 2);
      ++packets;
    }
  }
  if (reader->fault()) wan::fuzz::expect_good_message(*reader->fault());
  table.flush();
  writer.flush(0);
  expect(recorded == packets, "every packet is in a record");
  expect(writer.records() == table.counters().records, "every record is exported");
  expect((packets > 0) == (exported_bytes > 0), "records go out");
  return 0;
}
