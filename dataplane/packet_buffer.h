#pragma once

#include <cstdint>
#include <span>

namespace wan::dataplane {

/// A frame in memory that somebody else owns, with room before it for more headers.
struct PacketBuffer {
  std::uint8_t* data = nullptr;
  std::uint32_t length = 0;
  std::uint32_t headroom = 0;  ///< writable bytes before `data`
  std::uint32_t tailroom = 0;  ///< and after its end

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data, length}; }
  /// Makes `count` bytes of room in front; their content is undefined.
  /// @return  false, nothing changed: no room
  [[nodiscard]] bool prepend(std::uint32_t count) {
    if (count > headroom) return false;
    data -= count;
    length += count;
    headroom -= count;
    return true;
  }
  /// Takes `count` <= length bytes off the front.
  void trim_front(std::uint32_t count) {
    data += count;
    length -= count;
    headroom += count;
  }
  /// Takes `count` <= length bytes off the end.
  void trim_back(std::uint32_t count) {
    length -= count;
    tailroom += count;
  }
};

}  // namespace wan::dataplane
