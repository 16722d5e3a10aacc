#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/io/text_source.h"

namespace wan::io {

enum class JsonShape { kObject, kArray };

/// A JSON value that holds no other ones.
struct JsonScalar {
  enum class Kind { kNull, kBoolean, kWhole, kNumber, kString };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::uint64_t whole = 0;  ///< kWhole: a whole number from 0 up
  double number = 0.0;      ///< kWhole and kNumber: finite
  std::string_view text;    ///< kString; views memory that lives until the event handler returns
};

/// Where an event happens. A format numbers its kinds of objects and arrays ("places") and the keys of each.
struct JsonEvent {
  int place = 0;           ///< the object or array around the value; 0 outside of everything
  int key = -1;            ///< in an object, the value's key; -1 in an array
  std::size_t offset = 0;  ///< in the text, for messages
};

/// What one format makes of a JSON text, told value by value so that a file of any size is never held as a tree.
/// Implemented by the node-link reader and the plan reader.
class JsonFormat {
 public:
  virtual ~JsonFormat() = default;
  /// The number (0 to 31) of a key in objects at `place`; -1: not ours, its value is skipped whatever it is.
  [[nodiscard]] virtual int key_number(int place, std::string_view key) const = 0;
  /// An object or array begins; gives its place.
  [[nodiscard]] virtual Result<int> open(const JsonEvent& at, JsonShape shape) = 0;
  /// The object or array at `at.place` ends; bit k of `keys` tells that key number k was there.
  [[nodiscard]] virtual Result<void> close(const JsonEvent& at, std::uint32_t keys) = 0;
  [[nodiscard]] virtual Result<void> scalar(const JsonEvent& at, const JsonScalar& value) = 0;
};

/// @error kBadInput: malformed JSON, over 64 levels deep, a repeated key, or what `format` refuses
/// Cost: linear; the stack does not grow with the depth of the text.
[[nodiscard]] Result<void> read_json(const TextSource& source, JsonFormat& format);

}  // namespace wan::io
