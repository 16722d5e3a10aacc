#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

/// A running 64-bit FNV-1a digest: tells equal data from different data; no protection against an adversary.
class Digest {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) add_byte(static_cast<unsigned char>(c));
    add_byte(0xff);  // ends the string, so that "ab","c" differs from "a","bc"
  }
  void add(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(value >> shift));
  }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }

  [[nodiscard]] std::uint64_t value() const { return state_; }
  /// 16 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;

 private:
  void add_byte(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace wan
