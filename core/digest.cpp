#include "core/digest.h"

namespace wan {

std::string Digest::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kDigits[(state_ >> (60 - 4 * i)) & 0xf];
  return text;
}

}  // namespace wan
