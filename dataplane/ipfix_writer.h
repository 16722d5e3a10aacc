#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/flow_record.h"

namespace wan::dataplane {

struct IpfixOptions {
  std::uint32_t observation_domain = 1;
  std::size_t message_bytes_max = 1452;  ///< 1,500 less IPv6 and UDP headers; from 512 to 65,535
  std::int64_t template_interval_ns =
      60'000'000'000;  ///< templates go out again so often; 0: in the first message only
};

/// Turns flow records into IPFIX messages (docs/formats/ipfix.md), one a call of the sink: a UDP payload, or the next
/// bytes of a file.
///
/// The sequence number counts the data records sent before the message, never templates. IPv4 and IPv6 records have a
/// template each; the first message and, for UDP, one every interval carry both before any data.
/// Threads: one owner. Allocates nothing after construction.
/// Source: RFC 7011 sections 3, 8 and 10.3; RFC 7012 for the elements
class IpfixWriter {
 public:
  using MessageSink = std::function<void(std::span<const std::uint8_t>)>;

  IpfixWriter(const IpfixOptions& options, MessageSink sink);

  /// Adds records; messages go out as they fill. `now_ns` is the export time, since 1970; not before that of the last
  /// call.
  void write(std::span<const FlowRecord> records, std::int64_t now_ns);
  /// Sends what waits for its message to fill.
  void flush(std::int64_t now_ns);

  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  [[nodiscard]] std::size_t pending() const;
  void send(std::int64_t now_ns);

  IpfixOptions options_;
  MessageSink sink_;
  std::vector<std::uint8_t> v4_;  ///< data set of IPv4 records, set header first; empty when there are none
  std::vector<std::uint8_t> v6_;
  std::vector<std::uint8_t> message_;
  std::uint64_t waiting_ = 0;  ///< records in v4_ and v6_
  std::uint64_t records_ = 0;  ///< sent
  std::uint64_t messages_ = 0;
  std::int64_t templates_sent_ns_ = 0;
  bool templates_due_ = true;
};

}  // namespace wan::dataplane
