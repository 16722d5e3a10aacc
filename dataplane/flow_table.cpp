#include "dataplane/flow_table.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace wan::dataplane {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kDurationMax = (std::int64_t{1} << 48) - 1;
constexpr std::uint64_t kBytesMax = (std::uint64_t{1} << 40) - 1;
constexpr std::uint32_t kPacketsMax = 0xffffffff;
constexpr std::uint16_t kTcpFlagsMask = 0x0fff;
constexpr std::uint16_t kFinOrRst = 0x05;

/// Index slots for each entry, so that two choices of bucket nearly always find a free slot: three for two.
constexpr std::size_t kSlotsPerTwoEntries = 3;
/// New flows go to their first bucket, where a lookup looks first, while it has this many or fewer.
constexpr int kFirstBucketFill = 5;
/// An idle flow is looked at once it was unseen for so many epochs; each lasts a 32nd of the shorter timeout.
constexpr int kEpochsPerTimeout = 32;
constexpr int kAgeMax = 128;
/// How much older a flow of a single packet counts when one has to give way, in epochs.
constexpr int kSinglePacketAge = 64;
constexpr std::size_t kEvictionReach = 16;

std::uint64_t word(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Equal but for `zero`, where a table entry keeps TCP flags.
bool same_flow(const PackedFlowKey& a, const PackedFlowKey& b) {
  const std::uint64_t addresses = (word(a.source.data()) ^ word(b.source.data())) |
                                  (word(a.source.data() + 8) ^ word(b.source.data() + 8)) |
                                  (word(a.destination.data()) ^ word(b.destination.data())) |
                                  (word(a.destination.data() + 8) ^ word(b.destination.data() + 8));
  const int others = (a.source_port ^ b.source_port) | (a.destination_port ^ b.destination_port) |
                     (a.protocol ^ b.protocol) | (a.ip_version ^ b.ip_version);
  return addresses == 0 && others == 0;
}

}  // namespace

FlowTable::FlowTable(std::span<std::byte> memory, const std::array<std::uint8_t, 16>& secret, FlowTimeouts timeouts,
                     RecordSink sink, FlowHash::Kind kind)
    : hash_{secret, kind},
      sink_{std::move(sink)},
      active_ns_{timeouts.active_ns > 0 ? timeouts.active_ns : kNever},
      idle_ns_{timeouts.idle_ns > 0 ? timeouts.idle_ns : kNever} {
  assert(memory.size() >= kMemoryMin && sink_);
  void* start = memory.data();
  std::size_t room = memory.size();
  const void* aligned = std::align(alignof(Entry), 2 * sizeof(Entry), start, room);
  assert(aligned != nullptr);
  static_cast<void>(aligned);
  // entries + entries * 3 / (2 * 8) index lines, rounded up, fit into the lines there are.
  const std::size_t lines = room / sizeof(Entry);
  const std::size_t per_entries = 2 * kSlots;
  const std::size_t entry_count =
      std::min<std::size_t>((lines - 1) * per_entries / (per_entries + kSlotsPerTwoEntries), kNone - 1);
  const std::size_t bucket_count = (entry_count * kSlotsPerTwoEntries + per_entries - 1) / per_entries;
  assert(entry_count + bucket_count <= lines);
  auto* buckets = static_cast<Bucket*>(start);
  auto* entries = reinterpret_cast<Entry*>(buckets + bucket_count);
  buckets_ = {buckets, bucket_count};
  entries_ = {entries, entry_count};
  flows_per_epoch_ = std::max<std::uint64_t>(entry_count / 64, 1);
  const std::int64_t shorter = std::min(active_ns_, idle_ns_);
  epoch_ns_ = shorter == kNever ? 0 : std::max<std::int64_t>(shorter / kEpochsPerTimeout, 1);
}

FlowTable::Probe FlowTable::probe(std::uint64_t hash) const {
  const std::uint64_t count = buckets_.size();
  const std::uint64_t other = hash * 0x9e3779b97f4a7c15;
  const auto tag = static_cast<std::uint16_t>(hash);
  return {static_cast<std::uint32_t>((hash >> 32) * count >> 32),
          static_cast<std::uint32_t>((other >> 32) * count >> 32), tag == 0 ? std::uint16_t{1} : tag};
}

/// One bit in every pair of bits for each slot that has the tag: slot = bit / 2.
std::uint32_t FlowTable::matches(const Bucket& bucket, std::uint16_t tag) {
#if defined(__SSE2__)
  const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags.data()));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & 0x5555U;
#else
  std::uint32_t found = 0;
  for (std::size_t slot = 0; slot < kSlots; ++slot) found |= (bucket.tags[slot] == tag ? 1U : 0U) << (2 * slot);
  return found;
#endif
}

/// The flow of a bucket to give way first: 8 x (1 + how old it counts) + its slot; 0 when the bucket is empty.
int FlowTable::oldest(const Bucket& bucket, std::uint8_t epoch) {
#if defined(__SSE2__)
  const __m128i zero = _mm_setzero_si128();
  const __m128i ages = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bucket.ages.data()));
  const __m128i again = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bucket.again.data()));
  const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags.data()));
  const __m128i passed = _mm_unpacklo_epi8(_mm_sub_epi8(_mm_set1_epi8(static_cast<char>(epoch)), ages), zero);
  const __m128i once = _mm_cmpeq_epi16(_mm_unpacklo_epi8(again, zero), zero);
  const __m128i bonus = _mm_and_si128(once, _mm_set1_epi16(kSinglePacketAge));
  const __m128i age = _mm_add_epi16(_mm_add_epi16(passed, bonus), _mm_set1_epi16(1));
  const __m128i slots = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
  __m128i most = _mm_andnot_si128(_mm_cmpeq_epi16(tags, zero), _mm_or_si128(_mm_slli_epi16(age, 3), slots));
  most = _mm_max_epi16(most, _mm_shuffle_epi32(most, _MM_SHUFFLE(1, 0, 3, 2)));
  most = _mm_max_epi16(most, _mm_shuffle_epi32(most, _MM_SHUFFLE(2, 3, 0, 1)));
  most = _mm_max_epi16(most, _mm_shufflelo_epi16(most, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(most) & 0x7fff;
#else
  int most = 0;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    const auto i = static_cast<std::size_t>(slot);
    if (bucket.tags[i] == 0) continue;
    const int age =
        1 + static_cast<std::uint8_t>(epoch - bucket.ages[i]) + (bucket.again[i] == 0 ? kSinglePacketAge : 0);
    most = std::max(most, 8 * age + slot);
  }
  return most;
#endif
}

bool FlowTable::find(const Probe& probe, const PackedFlowKey& key, Place& place) const {
  for (const std::uint32_t at : {probe.first, probe.second}) {
    const Bucket& bucket = buckets_[at];
    for (std::uint32_t found = matches(bucket, probe.tag); found != 0; found &= found - 1) {
      const auto slot = static_cast<std::uint32_t>(std::countr_zero(found)) / 2;
      if (!same_flow(entries_[bucket.entries[slot]].key, key)) continue;
      place = {at, slot};
      return true;
    }
  }
  return false;
}

void FlowTable::update(std::span<const FlowObservation> packets) {
  while (!packets.empty()) {
    const std::size_t count = std::min(packets.size(), kBatch);
    update_batch(packets.first(count));
    packets = packets.subspan(count);
  }
}

// Memory is asked for a stage ahead: index lines of all packets, then entries of all, then the work on each.
void FlowTable::update_batch(std::span<const FlowObservation> packets) {
  const bool full = free_ == kNone && fresh_ == entries_.size();
  std::array<std::uint64_t, kBatch> hashes;
  std::array<Probe, kBatch> probes;
  std::array<Place, kBatch> guesses;
  hash_.many(&packets[0].key, sizeof packets[0], packets.size(), hashes.data());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    probes[i] = probe(hashes[i]);
    __builtin_prefetch(&buckets_[probes[i].first]);
    __builtin_prefetch(&buckets_[probes[i].second]);
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    std::uint32_t at = probes[i].first;
    std::uint32_t found = matches(buckets_[at], probes[i].tag);
    if (found == 0) {
      at = probes[i].second;
      found = matches(buckets_[at], probes[i].tag);
    }
    if (found == 0) {  // a new flow, it seems; in a full table it takes the place of this one
      guesses[i] = {kNone, 0};
      if (full && victim(probes[i], guesses[i])) {
        __builtin_prefetch(&entries_[buckets_[guesses[i].bucket].entries[guesses[i].slot]], 1);
      }
      continue;
    }
    const auto slot = static_cast<std::uint32_t>(std::countr_zero(found)) / 2;
    guesses[i] = {at, slot};
    __builtin_prefetch(&entries_[buckets_[at].entries[slot]], 1);
  }
  if (epoch_ns_ != 0) advance_epoch(packets.back().time_ns);
  for (std::size_t i = 0; i < packets.size(); ++i) update_one(packets[i], probes[i], guesses[i]);
  counters_.packets += packets.size();
}

// The guess was made before earlier packets of the batch changed the table, so only the full key decides.
inline void FlowTable::update_one(const FlowObservation& packet, const Probe& probe, Place guess) {
  const bool tag = guess.bucket != kNone && buckets_[guess.bucket].tags[guess.slot] == probe.tag;
  const bool right = tag && same_flow(entries_[buckets_[guess.bucket].entries[guess.slot]].key, packet.key);
  if (!right) {
    if (tag) guess.bucket = kNone;  // another flow with this tag, which has no reason to give way
    Place place;
    if (!find(probe, packet.key, place)) return begin(packet, probe, guess);
    guess = place;
  }
  Bucket& bucket = buckets_[guess.bucket];
  if (bucket.ages[guess.slot] != epoch_) bucket.ages[guess.slot] = epoch_;
  if (bucket.again[guess.slot] == 0) bucket.again[guess.slot] = 1;
  count(entries_[bucket.entries[guess.slot]], packet);
}

inline void FlowTable::count(Entry& entry, const FlowObservation& packet) {
  const std::int64_t since_first = packet.time_ns - entry.first_ns;
  const std::int64_t duration = entry.duration_ns();
  const std::uint64_t bytes = entry.bytes() + packet.ip_length;
  // One test for all that is rare: backwards in time, timed out, or a counter about to overflow.
  if (since_first < duration || since_first >= active_ns_ || since_first - duration >= idle_ns_ ||
      since_first > kDurationMax || entry.packets == kPacketsMax || bytes > kBytesMax) {
    return count_with_care(entry, packet);
  }
  ++entry.packets;
  entry.set(bytes, since_first, entry.traffic_class());
  entry.key.zero |= packet.tcp_flags & kTcpFlagsMask;
}

void FlowTable::count_with_care(Entry& entry, const FlowObservation& packet) {
  std::int64_t duration = entry.duration_ns();
  const std::int64_t last = entry.first_ns + duration;
  const std::uint64_t bytes = entry.bytes() + packet.ip_length;
  const std::int64_t first = std::min(entry.first_ns, packet.time_ns);
  duration = std::max(last, packet.time_ns) - first;
  if (packet.time_ns - last >= idle_ns_) {
    write(entry,
          (entry.key.zero & kFinOrRst) != 0 && entry.key.protocol == 6 ? FlowEnd::kEndOfFlow : FlowEnd::kIdleTimeout);
    ++counters_.flows;
    return start(entry, packet);
  }
  if (packet.time_ns - entry.first_ns >= active_ns_ || duration > kDurationMax || entry.packets == kPacketsMax ||
      bytes > kBytesMax) {
    write(entry, FlowEnd::kActiveTimeout);
    return start(entry, packet);
  }
  ++entry.packets;
  entry.first_ns = first;
  entry.set(bytes, duration, entry.traffic_class());
  entry.key.zero |= packet.tcp_flags & kTcpFlagsMask;
}

void FlowTable::start(Entry& entry, const FlowObservation& packet) {
  entry.key = packet.key;
  entry.key.zero = packet.tcp_flags & kTcpFlagsMask;
  entry.first_ns = packet.time_ns;
  entry.packets = 1;
  entry.set(packet.ip_length, 0, packet.traffic_class);
}

/// @param guess  perhaps a flow that may give way, chosen a stage ago
void FlowTable::begin(const FlowObservation& packet, const Probe& probe, Place guess) {
  ++counters_.flows;
  if (++epoch_flows_ >= flows_per_epoch_) {
    epoch_flows_ = 0;
    ++epoch_;
  }
  if (free_ == kNone && fresh_ == entries_.size()) {
    if (!is_victim(guess) && !victim(probe, guess)) {  // nobody near can give way: the packet gets a record of its own
      Entry single{};
      start(single, packet);
      write(single, FlowEnd::kLackOfResources);
      ++counters_.evicted;
      return;
    }
    evict(guess);
  }
  const Place place = free_slot(probe);
  const std::uint32_t entry = new_entry();
  index(probe, place, entry);
  start(entries_[entry], packet);
}

/// Whether the flow there, if one is, was not seen since it was chosen to give way.
bool FlowTable::is_victim(Place place) const {
  if (place.bucket == kNone) return false;
  const Bucket& bucket = buckets_[place.bucket];
  return bucket.tags[place.slot] != 0 && (bucket.ages[place.slot] != epoch_ || bucket.again[place.slot] == 0);
}

void FlowTable::evict(Place place) {
  write(entries_[buckets_[place.bucket].entries[place.slot]], FlowEnd::kLackOfResources);
  ++counters_.evicted;
  release(place);
}

/// An entry that is free; the caller has made sure that there is one.
std::uint32_t FlowTable::new_entry() {
  ++used_;
  const std::uint32_t entry = free_;
  if (entry == kNone) return fresh_++;
  std::memcpy(&free_, entries_[entry].key.source.data(), sizeof free_);
  return entry;
}

void FlowTable::index(const Probe& probe, Place place, std::uint32_t entry) {
  Bucket& bucket = buckets_[place.bucket];
  bucket.tags[place.slot] = probe.tag;
  bucket.ages[place.slot] = epoch_;
  bucket.again[place.slot] = 0;
  bucket.entries[place.slot] = entry;
}

/// A slot in one of the flow's two buckets; when both are full, the longest-idle flow of them gives way.
FlowTable::Place FlowTable::free_slot(const Probe& probe) {
  const std::uint32_t free_first = matches(buckets_[probe.first], 0);
  const std::uint32_t free_second = matches(buckets_[probe.second], 0);
  const int used_first = static_cast<int>(kSlots) - std::popcount(free_first);
  const bool in_first = used_first <= kFirstBucketFill || std::popcount(free_first) >= std::popcount(free_second);
  const std::uint32_t free = in_first ? free_first : free_second;
  if (free != 0) {
    return {in_first ? probe.first : probe.second, static_cast<std::uint32_t>(std::countr_zero(free)) / 2};
  }
  Place oldest;
  const bool found = victim(probe, oldest);
  assert(found);
  static_cast<void>(found);
  evict(oldest);
  return oldest;
}

/// The flow to give way: of the two buckets, or, where they are empty, of the next few.
bool FlowTable::victim(const Probe& probe, Place& place) const {
  int worst = 0;
  const auto look = [&](std::uint32_t at) {
    const int found = oldest(buckets_[at], epoch_);
    if (found <= worst) return;
    worst = found;
    place = {at, static_cast<std::uint32_t>(found % static_cast<int>(kSlots))};
  };
  look(probe.first);
  look(probe.second);
  for (std::size_t step = 1; worst == 0 && step <= kEvictionReach; ++step) {
    look(static_cast<std::uint32_t>((probe.first + step) % buckets_.size()));
  }
  return worst != 0;
}

void FlowTable::release(Place place) {
  Bucket& bucket = buckets_[place.bucket];
  const std::uint32_t index = bucket.entries[place.slot];
  bucket.tags[place.slot] = 0;
  Entry& entry = entries_[index];
  entry.packets = 0;
  std::memcpy(entry.key.source.data(), &free_, sizeof free_);
  free_ = index;
  --used_;
}

void FlowTable::write(const Entry& entry, FlowEnd end) {
  PackedFlowKey key = entry.key;
  key.zero = 0;
  FlowRecord& record = records_[waiting_];
  record.key = unpack(key);
  record.packets = entry.packets;
  record.ip_bytes = entry.bytes();
  record.first_ns = entry.first_ns;
  record.last_ns = entry.first_ns + entry.duration_ns();
  record.tcp_flags = entry.key.zero;
  record.traffic_class = entry.traffic_class();
  record.end = end;
  ++counters_.records;
  if (++waiting_ == kRecordBatch) deliver();
}

void FlowTable::deliver() {
  if (waiting_ == 0) return;
  sink_({records_.data(), waiting_});
  waiting_ = 0;
}

/// Time moves the epoch on, at most half of what an age can hold at once.
void FlowTable::advance_epoch(std::int64_t now_ns) {
  if (!epoch_known_) {
    epoch_known_ = true;
    epoch_began_ns_ = now_ns;
  }
  const std::int64_t passed = (now_ns - epoch_began_ns_) / epoch_ns_;
  if (passed <= 0) return;
  epoch_ = static_cast<std::uint8_t>(epoch_ + std::min<std::int64_t>(passed, kAgeMax / 2));
  epoch_began_ns_ += passed * epoch_ns_;
}

void FlowTable::sweep(std::int64_t now_ns, std::size_t buckets_max) {
  if (epoch_ns_ == 0 && fresh_ < entries_.size()) return;  // nothing times out, and nothing needs to give way yet
  if (epoch_ns_ != 0) advance_epoch(now_ns);
  for (std::size_t n = std::min(buckets_max, buckets_.size()); n > 0; --n) {
    const auto at = static_cast<std::uint32_t>(hand_);
    hand_ = hand_ + 1 == buckets_.size() ? 0 : hand_ + 1;
    Bucket& bucket = buckets_[at];
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      if (bucket.tags[slot] == 0) continue;
      const int age = static_cast<std::uint8_t>(epoch_ - bucket.ages[slot]);
      if (age > kAgeMax) bucket.ages[slot] = static_cast<std::uint8_t>(epoch_ - kAgeMax);
      if (epoch_ns_ == 0 || age < kEpochsPerTimeout - 1) continue;
      const Entry& entry = entries_[bucket.entries[slot]];
      const bool ended = entry.key.protocol == 6 && (entry.key.zero & kFinOrRst) != 0;
      const std::int64_t last_ns = entry.first_ns + entry.duration_ns();
      if (now_ns - last_ns >= idle_ns_) {
        write(entry, ended ? FlowEnd::kEndOfFlow : FlowEnd::kIdleTimeout);
      } else if (now_ns - entry.first_ns >= active_ns_) {
        write(entry, FlowEnd::kActiveTimeout);
      } else {
        continue;
      }
      release({at, slot});
    }
  }
}

void FlowTable::flush() {
  for (std::uint32_t i = 0; i < fresh_; ++i) {
    if (entries_[i].packets != 0) write(entries_[i], FlowEnd::kForcedEnd);
  }
  forget_all();
  deliver();
}

void FlowTable::forget_all() {
  for (Bucket& bucket : buckets_) bucket.tags.fill(0);
  fresh_ = 0;
  free_ = kNone;
  used_ = 0;
}

void FlowTable::take_over(FlowTable& other) {
  other.deliver();
  counters_.packets += other.counters_.packets;
  counters_.flows += other.counters_.flows;
  counters_.records += other.counters_.records;
  counters_.evicted += other.counters_.evicted;
  other.counters_ = {};
  for (const Entry& entry : other.entries_.first(other.fresh_)) {
    if (entry.packets == 0) continue;
    if (free_ == kNone && fresh_ == entries_.size()) {
      write(entry, FlowEnd::kLackOfResources);
      ++counters_.evicted;
      continue;
    }
    PackedFlowKey key = entry.key;
    key.zero = 0;  // TCP flags, in an entry
    const Probe at = probe(hash_(key));
    const Place place = free_slot(at);
    const std::uint32_t taken = new_entry();
    index(at, place, taken);
    entries_[taken] = entry;
  }
  other.forget_all();
}

}  // namespace wan::dataplane
