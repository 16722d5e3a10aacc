#include "dataplane/ipfix_writer.h"

#include <array>
#include <cassert>
#include <concepts>
#include <utility>

namespace wan::dataplane {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kVersion = 10;
constexpr std::uint16_t kTemplateSet = 2;
constexpr std::uint16_t kTemplateV4 = 256;
constexpr std::uint16_t kTemplateV6 = 257;
constexpr std::size_t kMessageHeader = 16;
constexpr std::size_t kSetHeader = 4;

struct Field {
  std::uint16_t element;
  std::uint16_t length;
};

/// Both templates: the addresses differ, the rest is `kCommonFields` in the order of `append_common`.
constexpr std::array<Field, 2> kFieldsV4{{{8, 4}, {12, 4}}};     // sourceIPv4Address, destinationIPv4Address
constexpr std::array<Field, 2> kFieldsV6{{{27, 16}, {28, 16}}};  // sourceIPv6Address, destinationIPv6Address
constexpr std::array<Field, 11> kCommonFields{{
    {7, 2},    // sourceTransportPort
    {11, 2},   // destinationTransportPort
    {4, 1},    // protocolIdentifier
    {60, 1},   // ipVersion
    {5, 1},    // ipClassOfService
    {136, 1},  // flowEndReason
    {6, 2},    // tcpControlBits
    {2, 8},    // packetDeltaCount
    {1, 8},    // octetDeltaCount
    {152, 8},  // flowStartMilliseconds
    {153, 8},  // flowEndMilliseconds
}};

constexpr std::size_t length_of(std::span<const Field> fields) {
  std::size_t sum = 0;
  for (const Field& field : fields) sum += field.length;
  return sum;
}
constexpr std::size_t kRecordV4 = length_of(kFieldsV4) + length_of(kCommonFields);
constexpr std::size_t kRecordV6 = length_of(kFieldsV6) + length_of(kCommonFields);
constexpr std::size_t kTemplates = kSetHeader + 2 * (4 + 4 * (2 + kCommonFields.size()));
static_assert(kRecordV4 == 50 && kRecordV6 == 74);

template <std::unsigned_integral T>
void append(Bytes& bytes, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

template <std::unsigned_integral T>
std::uint8_t* put(std::uint8_t* at, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    *at++ = static_cast<std::uint8_t>(value >> shift);
  }
  return at;
}

void append_template(Bytes& bytes, std::uint16_t number, std::span<const Field> addresses) {
  append(bytes, number);
  append(bytes, static_cast<std::uint16_t>(addresses.size() + kCommonFields.size()));
  for (const auto& fields : {addresses, std::span<const Field>{kCommonFields}}) {
    for (const Field& field : fields) {
      append(bytes, field.element);
      append(bytes, field.length);
    }
  }
}

void append_record(Bytes& set, const FlowRecord& record, std::size_t address_bytes, std::size_t record_bytes) {
  const std::size_t begin = set.size();
  set.resize(begin + record_bytes);  // within the capacity taken at construction
  std::uint8_t* at = set.data() + begin;
  for (std::size_t i = 0; i < address_bytes; ++i) *at++ = record.key.source.bytes()[i];
  for (std::size_t i = 0; i < address_bytes; ++i) *at++ = record.key.destination.bytes()[i];
  at = put(at, record.key.source_port);
  at = put(at, record.key.destination_port);
  *at++ = record.key.protocol;
  *at++ = static_cast<std::uint8_t>(record.key.source.family());
  *at++ = record.traffic_class;
  *at++ = static_cast<std::uint8_t>(record.end);
  at = put(at, record.tcp_flags);
  at = put(at, record.packets);
  at = put(at, record.ip_bytes);
  at = put(at, static_cast<std::uint64_t>(record.first_ns / 1'000'000));
  at = put(at, static_cast<std::uint64_t>(record.last_ns / 1'000'000));
  assert(at == set.data() + set.size());
}

void append_set(Bytes& message, Bytes& set) {
  if (set.empty()) return;
  put(set.data() + 2, static_cast<std::uint16_t>(set.size()));
  message.insert(message.end(), set.begin(), set.end());
  set.clear();
}

}  // namespace

IpfixWriter::IpfixWriter(const IpfixOptions& options, MessageSink sink) : options_{options}, sink_{std::move(sink)} {
  assert(options_.message_bytes_max >= 512 && options_.message_bytes_max <= 65535 && sink_);
  for (Bytes* bytes : {&v4_, &v6_, &message_}) bytes->reserve(options_.message_bytes_max);
}

std::size_t IpfixWriter::pending() const {
  return kMessageHeader + (templates_due_ ? kTemplates : 0) + v4_.size() + v6_.size();
}

void IpfixWriter::write(std::span<const FlowRecord> records, std::int64_t now_ns) {
  if (!templates_due_ && options_.template_interval_ns > 0 &&
      now_ns - templates_sent_ns_ >= options_.template_interval_ns) {
    if (pending() + kTemplates > options_.message_bytes_max) send(now_ns);
    templates_due_ = true;
  }
  for (const FlowRecord& record : records) {
    const bool v6 = record.key.source.is_v6();
    Bytes& set = v6 ? v6_ : v4_;
    const std::size_t record_bytes = v6 ? kRecordV6 : kRecordV4;
    if (pending() + record_bytes + (set.empty() ? kSetHeader : 0) > options_.message_bytes_max) send(now_ns);
    if (set.empty()) {
      append(set, v6 ? kTemplateV6 : kTemplateV4);
      append(set, std::uint16_t{0});
    }
    append_record(set, record, record.key.source.size(), record_bytes);
    ++waiting_;
  }
}

void IpfixWriter::flush(std::int64_t now_ns) {
  if (waiting_ > 0) send(now_ns);
}

void IpfixWriter::send(std::int64_t now_ns) {
  message_.clear();
  append(message_, kVersion);
  append(message_, static_cast<std::uint16_t>(pending()));
  append(message_, static_cast<std::uint32_t>(now_ns / 1'000'000'000));
  append(message_, static_cast<std::uint32_t>(records_));
  append(message_, options_.observation_domain);
  if (templates_due_) {
    append(message_, kTemplateSet);
    append(message_, static_cast<std::uint16_t>(kTemplates));
    append_template(message_, kTemplateV4, kFieldsV4);
    append_template(message_, kTemplateV6, kFieldsV6);
    templates_due_ = false;
    templates_sent_ns_ = now_ns;
  }
  append_set(message_, v4_);
  append_set(message_, v6_);
  sink_(message_);
  records_ += waiting_;
  waiting_ = 0;
  ++messages_;
}

}  // namespace wan::dataplane
