#include "dataplane/flow_table.h"

#include <sys/mman.h>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/random.h"
#include "dataplane/packet_view.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

// Cost of a packet from its bytes to its flow: parse, key, hash, table. Cycles are those of the time-stamp counter.
namespace {

using namespace wan::dataplane;

constexpr std::size_t kFrameBytes = 64;
constexpr std::size_t kBatch = 32;
constexpr std::array<std::uint8_t, 16> kSecret{9, 8, 7};

std::uint64_t cycle_counter() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

/// Memory in large pages where the system grants them, as the program takes it.
class Pages {
 public:
  explicit Pages(std::size_t bytes) {
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) std::abort();
    madvise(start, bytes, MADV_HUGEPAGE);
    bytes_ = {static_cast<std::byte*>(start), bytes};
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { munmap(bytes_.data(), bytes_.size()); }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

/// The tenth part of the windows that were least disturbed by whatever else the machine did, and the middle one.
void tell(benchmark::State& state, std::vector<double>& windows, std::size_t packets_per_window) {
  std::sort(windows.begin(), windows.end());
  state.counters["cycles_p10"] = windows[windows.size() / 10];
  state.counters["cycles_p50"] = windows[windows.size() / 2];
  state.SetItemsProcessed(static_cast<std::int64_t>(windows.size() * packets_per_window));
}

using Frame = std::array<std::uint8_t, kFrameBytes>;

Frame tcp_frame(std::uint32_t flow) {
  Frame frame{2,  0, 0, 0,    0, 1,  2, 0, 0, 0,  0, 2, 0x08, 0x00, 0x45, 0, 0,
              50, 0, 0, 0x40, 0, 63, 6, 0, 0, 10, 0, 0, 0,    172,  16,   0, 1};
  std::memcpy(&frame[26], &flow, 4);
  frame[34] = 0x10;
  frame[37] = 80;
  frame[46] = 0x50;
  frame[47] = 0x10;
  return frame;
}

/// Parses frames in order and counts them, a batch at a time.
void drive(benchmark::State& state, FlowTable& table, const std::vector<Frame>& frames) {
  std::array<FlowObservation, kBatch> seen;
  std::int64_t now = 1;
  std::size_t at = 0;
  std::vector<double> windows;
  for ([[maybe_unused]] auto step : state) {
    const std::uint64_t before = cycle_counter();
    for (int round = 0; round < 64; ++round) {
      for (std::size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(observe_frame(1, frames[at + i], now, seen[i]));
      table.update(seen);
      at += kBatch;
      if (at + kBatch > frames.size()) at = 0;
      ++now;
    }
    windows.push_back(static_cast<double>(cycle_counter() - before) / (64 * kBatch));
  }
  tell(state, windows, 64 * kBatch);
}

std::uint64_t records_written = 0;
void count_records(std::span<const wan::FlowRecord> records) { records_written += records.size(); }

/// Packets of live flows in random order: parse and table.
void BM_LiveFlows(benchmark::State& state) {
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  const Pages memory{std::size_t{flows} * 96 + FlowTable::kMemoryMin};
  FlowTable table{memory.bytes(), kSecret, {}, count_records};
  wan::Rng rng{1, "frames"};
  std::vector<Frame> frames(std::max<std::size_t>(flows, 1 << 16));
  for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = tcp_frame(static_cast<std::uint32_t>(i) % flows);
  for (std::size_t i = frames.size() - 1; i > 0; --i) std::swap(frames[i], frames[rng.below(i + 1)]);
  for (const Frame& frame : frames) {
    const FlowObservation seen = observe(parse_ethernet(frame), 1);
    table.update({&seen, 1});
  }
  drive(state, table, frames);
  state.counters["flows"] = static_cast<double>(table.size());
}

/// Every packet is a flow never seen before, in a table for a million: each pushes another out and writes its record.
void BM_Flood(benchmark::State& state) {
  const auto strangers_percent = static_cast<std::uint64_t>(state.range(0));
  const Pages memory{std::size_t{80} << 20};
  FlowTable table{memory.bytes(), kSecret, {}, count_records};
  constexpr std::uint32_t kKnown = 100'000;
  constexpr std::uint32_t kFrames = 1 << 22;
  wan::Rng rng{2, "flood"};
  std::vector<Frame> frames(kFrames);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    const bool stranger = rng.below(100) < strangers_percent;
    frames[i] = tcp_frame(stranger ? 1'000'000 + i : static_cast<std::uint32_t>(rng.below(kKnown)));
  }
  for (const Frame& frame : frames) {
    const FlowObservation seen = observe(parse_ethernet(frame), 1);
    table.update({&seen, 1});
  }
  drive(state, table, frames);
  state.counters["evicted"] = static_cast<double>(table.counters().evicted);
}

/// From bytes to what the flow table wants to know.
void BM_Observe(benchmark::State& state) {
  std::vector<Frame> frames;
  for (std::uint32_t i = 0; i < 4096; ++i) frames.push_back(tcp_frame(i));
  std::vector<double> windows;
  for ([[maybe_unused]] auto step : state) {
    const std::uint64_t before = cycle_counter();
    FlowObservation seen;
    for (const Frame& frame : frames) {
      benchmark::DoNotOptimize(observe_frame(1, frame, 1, seen));
    }
    windows.push_back(static_cast<double>(cycle_counter() - before) / static_cast<double>(frames.size()));
  }
  tell(state, windows, frames.size());
}

/// From bytes to the view that forwarding works on.
void BM_View(benchmark::State& state) {
  std::vector<Frame> frames;
  for (std::uint32_t i = 0; i < 4096; ++i) frames.push_back(tcp_frame(i));
  std::vector<double> windows;
  for ([[maybe_unused]] auto step : state) {
    const std::uint64_t before = cycle_counter();
    for (const Frame& frame : frames) {
      PacketView view = parse_ethernet(frame);
      benchmark::DoNotOptimize(view);
    }
    windows.push_back(static_cast<double>(cycle_counter() - before) / static_cast<double>(frames.size()));
  }
  tell(state, windows, frames.size());
}

BENCHMARK(BM_Observe);
BENCHMARK(BM_View);
BENCHMARK(BM_LiveFlows)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(BM_Flood)->Arg(100)->Arg(90)->Arg(50);

}  // namespace

BENCHMARK_MAIN();
