#include "dataplane/pcap_reader.h"

#include <algorithm>
#include <cstring>

namespace wan::dataplane {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;
constexpr std::size_t kModifiedRecordHeader = 24;
constexpr std::size_t kBlockMin = 12;
/// Where a record begins is known only once the one before was read, so memory is asked for ahead by distance.
constexpr std::size_t kReadAhead = 2048;

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;  // reads the same in both byte orders
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kPacketBlock = 2;  // obsolete
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionResolution = 9;
constexpr std::uint16_t kOptionOffset = 14;

constexpr std::int64_t kTimeMax = std::int64_t{1} << 62;
constexpr std::int64_t kSecond = 1'000'000'000;

std::uint32_t native_u32(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Ticks of 10^-n s or 2^-n s in nanoseconds, from 0 to kTimeMax; what lies outside is brought to its edge.
std::int64_t to_ns(std::uint64_t ticks, std::uint8_t resolution, std::int64_t offset_s) {
  using Wide = __int128;
  Wide ns = static_cast<Wide>(ticks);
  const int exponent = resolution & 0x7f;
  if ((resolution & 0x80) != 0) {
    ns = exponent >= 100 ? 0 : ns * kSecond >> exponent;
  } else {
    for (int i = exponent; i < 9; ++i) ns *= 10;
    for (int i = 9; i < exponent && ns != 0; ++i) ns /= 10;
  }
  ns += static_cast<Wide>(offset_s) * kSecond;
  return static_cast<std::int64_t>(std::clamp<Wide>(ns, 0, kTimeMax));
}

}  // namespace

std::uint16_t PcapReader::u16(std::size_t at) const {
  std::uint16_t value = 0;
  std::memcpy(&value, file_.data() + at, sizeof value);
  return swapped_ ? __builtin_bswap16(value) : value;
}

std::uint32_t PcapReader::u32(std::size_t at) const {
  const std::uint32_t value = native_u32(file_.data() + at);
  return swapped_ ? __builtin_bswap32(value) : value;
}

void PcapReader::stop(std::string_view why) {
  fault_ = Error{ErrorCode::kBadInput, name_ + ": " + std::string{why} + " at byte " + std::to_string(at_) +
                                           "; the frames before it are counted"};
  at_ = file_.size();
}

Result<PcapReader> PcapReader::open(std::span<const std::uint8_t> file, std::string_view name) {
  PcapReader reader;
  reader.file_ = file;
  reader.name_ = name;
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kBadInput, reader.name_ + ": " + std::string{why});
  };
  if (file.size() < 4) return refuse("too short for a capture file");
  std::uint32_t magic = native_u32(file.data());
  if (magic == kSectionHeader) {
    reader.next_generation_ = true;
    if (file.size() < 28) return refuse("too short for a pcapng file");
    if (!reader.begin_section(0)) return refuse("a pcapng section header with an unknown byte order");
    return reader;
  }
  for (const std::uint32_t known : {kMicroseconds, kNanoseconds, kModified}) {
    if (magic == __builtin_bswap32(known)) {
      reader.swapped_ = true;
      magic = known;
    }
  }
  if (magic != kMicroseconds && magic != kNanoseconds && magic != kModified) {
    if (file[0] == 0x1f && file[1] == 0x8b) return refuse("compressed; unpack it first (gunzip)");
    return refuse("neither pcap nor pcapng");
  }
  if (file.size() < kFileHeader) return refuse("too short for a pcap file");
  reader.nanoseconds_ = magic == kNanoseconds;
  reader.record_header_ = magic == kModified ? kModifiedRecordHeader : kRecordHeader;
  reader.link_type_ = static_cast<std::uint16_t>(reader.u32(20));  // the upper half tells of frame check sequences
  reader.rewind();
  return reader;
}

void PcapReader::rewind() {
  at_ = next_generation_ ? 0 : kFileHeader;
  interfaces_.clear();
  fault_.reset();
}

std::size_t PcapReader::read(std::span<CapturedFrame> frames) {
  std::size_t count = 0;
  if (next_generation_) {
    while (count < frames.size() && next_block(frames[count])) ++count;
  } else {
    while (count < frames.size() && next_record(frames[count])) ++count;
  }
  return count;
}

bool PcapReader::next_record(CapturedFrame& frame) {
  const std::size_t left = file_.size() - at_;
  if (left < record_header_) {
    if (left != 0) stop("the file ends inside a record header");
    return false;
  }
  __builtin_prefetch(file_.data() + std::min(at_ + kReadAhead, file_.size() - 1));
  const std::uint32_t captured = u32(at_ + 8);
  if (captured > left - record_header_) {
    stop("a frame runs past the end of the file");
    return false;
  }
  frame.bytes = file_.subspan(at_ + record_header_, captured);
  frame.time_ns = std::int64_t{u32(at_)} * kSecond + std::int64_t{u32(at_ + 4)} * (nanoseconds_ ? 1 : 1000);
  frame.original_length = u32(at_ + 12);
  frame.link_type = link_type_;
  at_ += record_header_ + captured;
  return true;
}

bool PcapReader::begin_section(std::size_t at) {
  const std::uint32_t order = native_u32(file_.data() + at + 8);
  if (order != kByteOrder && order != __builtin_bswap32(kByteOrder)) return false;
  swapped_ = order != kByteOrder;
  interfaces_.clear();
  return true;
}

/// Blocks until one holds a frame; false at the end.
bool PcapReader::next_block(CapturedFrame& frame) {
  while (at_ < file_.size()) {
    const std::size_t left = file_.size() - at_;
    if (left < kBlockMin) {
      stop("the file ends inside a block header");
      return false;
    }
    if (native_u32(file_.data() + at_) == kSectionHeader && !begin_section(at_)) {
      stop("a section header with an unknown byte order");
      return false;
    }
    const std::uint32_t type = u32(at_);
    const std::size_t length = u32(at_ + 4);
    if (length < kBlockMin || length % 4 != 0 || length > left) {
      stop(length > left ? "a block runs past the end of the file" : "a block of impossible length");
      return false;
    }
    if (u32(at_ + length - 4) != length) {
      stop("a block whose two lengths differ");
      return false;
    }
    const bool found = read_block(type, at_ + 8, length - kBlockMin, frame);
    if (fault_) return false;
    at_ += length;
    if (found) return true;
  }
  return false;
}

/// @param at, length  the block's body
bool PcapReader::read_block(std::uint32_t type, std::size_t at, std::size_t length, CapturedFrame& frame) {
  switch (type) {
    case kInterfaceDescription:
      add_interface(at, length);
      return false;
    case kEnhancedPacket:
    case kPacketBlock:
      return enhanced_packet(at, length, type == kPacketBlock, frame);
    case kSimplePacket: {
      if (length < 4 || interfaces_.empty()) {
        stop("a simple packet without an interface or length");
        return false;
      }
      const Interface& interface = interfaces_.front();
      std::size_t captured = std::min<std::size_t>(u32(at), length - 4);
      if (interface.snap_length != 0) captured = std::min<std::size_t>(captured, interface.snap_length);
      frame.bytes = file_.subspan(at + 4, captured);
      frame.time_ns = 0;
      frame.original_length = u32(at);
      frame.link_type = interface.link_type;
      return true;
    }
    default:
      return false;
  }
}

void PcapReader::add_interface(std::size_t at, std::size_t length) {
  if (length < 8) return stop("an interface description without its fields");
  Interface interface;
  interface.link_type = u16(at);
  interface.snap_length = u32(at + 4);
  const std::size_t end = at + length;
  for (std::size_t option = at + 8; end - option >= 4;) {
    const std::uint16_t code = u16(option);
    const std::size_t size = u16(option + 2);
    option += 4;
    if (code == kOptionEnd || size > end - option) break;
    if (code == kOptionResolution && size >= 1) interface.resolution = file_[option];
    if (code == kOptionOffset && size >= 8) {
      std::uint64_t value = 0;
      std::memcpy(&value, file_.data() + option, sizeof value);
      interface.offset_s = static_cast<std::int64_t>(swapped_ ? __builtin_bswap64(value) : value);
    }
    option += std::min((size + 3) / 4 * 4, end - option);
  }
  interfaces_.push_back(interface);
}

bool PcapReader::enhanced_packet(std::size_t at, std::size_t length, bool obsolete, CapturedFrame& frame) {
  if (length < 20) {
    stop("a packet block without its fields");
    return false;
  }
  const std::size_t number = obsolete ? u16(at) : u32(at);
  const std::size_t captured = u32(at + 12);
  if (captured > length - 20) {
    stop("a packet longer than its block");
    return false;
  }
  if (number >= interfaces_.size()) {
    stop("a packet of an interface that was not described");
    return false;
  }
  const Interface& interface = interfaces_[number];
  frame.bytes = file_.subspan(at + 20, captured);
  frame.time_ns = to_ns(std::uint64_t{u32(at + 4)} << 32 | u32(at + 8), interface.resolution, interface.offset_s);
  frame.original_length = u32(at + 16);
  frame.link_type = interface.link_type;
  return true;
}

}  // namespace wan::dataplane
