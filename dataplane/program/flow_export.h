#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/flow_record.h"
#include "core/result.h"
#include "dataplane/program/node_config.h"

namespace wan::dataplane {

/// Sends flow records as IPFIX to a collector or appends them to a file, as they come and at least once a second.
///
/// Threads: one owner. What a collector does not take is lost and counted: UDP has no more to offer.
class FlowExport {
 public:
  /// @error as `UdpSender::connect`; kIo: the file cannot be written
  [[nodiscard]] static Result<FlowExport> open(const IpfixTarget& target);
  ~FlowExport();
  FlowExport(FlowExport&&) noexcept;
  FlowExport& operator=(FlowExport&&) noexcept;

  void write(std::span<const FlowRecord> records, std::int64_t now_ns);
  [[nodiscard]] std::uint64_t messages_lost() const;

 private:
  struct Impl;
  explicit FlowExport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::dataplane
