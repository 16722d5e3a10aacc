#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wan::dataplane {

struct CapturedFrame {
  std::span<const std::uint8_t> bytes;  ///< within the file's bytes
  std::int64_t time_ns = 0;             ///< since 1970-01-01T00:00:00Z, from 0 to 2^62
  std::uint32_t original_length = 0;    ///< on the wire; the capture may have kept less
  std::uint16_t link_type = 0;
};

/// Reads the frames of a capture file that is in memory: pcap (both byte orders, microseconds and nanoseconds, the
/// `modified` variant) and pcapng (both byte orders, any number of sections and interfaces with their own clocks).
///
/// Copies no frame. Where the bytes stop making sense it ends and `fault` says why; frames read until then stand.
/// Threads: one owner. Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng
class PcapReader {
 public:
  /// @param file  the whole file; outlives the reader and the frames
  /// @param name  what errors call it
  /// @error kBadInput: not a capture file of these formats
  [[nodiscard]] static Result<PcapReader> open(std::span<const std::uint8_t> file, std::string_view name);

  /// Fills `frames` from its front; fewer than asked for, or none, at the end.
  [[nodiscard]] std::size_t read(std::span<CapturedFrame> frames);

  /// Why reading ended before the file's end, if it did.
  [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }

  /// Begins again with the first frame.
  void rewind();

 private:
  struct Interface {
    std::uint16_t link_type = 0;
    std::uint32_t snap_length = 0;
    std::uint8_t resolution = 6;  ///< as option if_tsresol: 10^-n s, or 2^-n with the top bit set
    std::int64_t offset_s = 0;
  };

  PcapReader() = default;
  [[nodiscard]] std::uint16_t u16(std::size_t at) const;
  [[nodiscard]] std::uint32_t u32(std::size_t at) const;
  [[nodiscard]] bool next_record(CapturedFrame& frame);
  [[nodiscard]] bool next_block(CapturedFrame& frame);
  [[nodiscard]] bool read_block(std::uint32_t type, std::size_t at, std::size_t length, CapturedFrame& frame);
  [[nodiscard]] bool begin_section(std::size_t at);
  void add_interface(std::size_t at, std::size_t length);
  [[nodiscard]] bool enhanced_packet(std::size_t at, std::size_t length, bool obsolete, CapturedFrame& frame);
  void stop(std::string_view why);

  // Fixed once open.
  std::span<const std::uint8_t> file_;
  std::string name_;
  bool next_generation_ = false;
  bool nanoseconds_ = false;
  std::size_t record_header_ = 16;
  std::uint16_t link_type_ = 0;

  bool swapped_ = false;  ///< the bytes are in the order that this machine does not have; pcapng: of the section
  std::size_t at_ = 0;
  std::vector<Interface> interfaces_;  ///< of the section
  std::optional<Error> fault_;
};

}  // namespace wan::dataplane
