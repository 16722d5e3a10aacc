#include "dataplane/program/growing_flow_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace wan::dataplane {
namespace {

constexpr std::size_t kFirstBytes = std::size_t{1} << 20;
constexpr std::size_t kGrowth = 4;

}  // namespace

Result<GrowingFlowTable> GrowingFlowTable::make(std::size_t memory_bytes_max,
                                                const std::array<std::uint8_t, 16>& secret, FlowTimeouts timeouts,
                                                FlowTable::RecordSink sink) {
  auto memory = PageMemory::take(std::min(kFirstBytes, memory_bytes_max));
  if (!memory) return tl::unexpected<Error>{memory.error()};
  return GrowingFlowTable{*std::move(memory), memory_bytes_max, secret, timeouts, std::move(sink)};
}

GrowingFlowTable::GrowingFlowTable(PageMemory memory, std::size_t memory_bytes_max,
                                   const std::array<std::uint8_t, 16>& secret, FlowTimeouts timeouts,
                                   FlowTable::RecordSink sink)
    : memory_bytes_max_{memory_bytes_max},
      secret_{secret},
      timeouts_{timeouts},
      sink_{std::move(sink)},
      memory_{std::move(memory)},
      table_{std::make_unique<FlowTable>(memory_.bytes(), secret_, timeouts_, sink_)} {
  set_fill_max();
}

/// Grows at three quarters, while both buckets of a flow are hardly ever full; not at all when memory is at its limit.
void GrowingFlowTable::set_fill_max() {
  const bool may_grow = memory_.bytes().size() < memory_bytes_max_ / 2;
  fill_max_ = may_grow ? table_->capacity() / 4 * 3 : std::numeric_limits<std::size_t>::max();
}

void GrowingFlowTable::grow() {
  const std::size_t now = memory_.bytes().size();
  auto memory = PageMemory::take(std::min(now * kGrowth, memory_bytes_max_ - now));
  if (!memory) {  // then it stays, and old flows give way
    fill_max_ = std::numeric_limits<std::size_t>::max();
    return;
  }
  auto larger = std::make_unique<FlowTable>(memory->bytes(), secret_, timeouts_, sink_);
  larger->take_over(*table_);
  table_ = std::move(larger);
  memory_ = *std::move(memory);
  set_fill_max();
}

}  // namespace wan::dataplane
