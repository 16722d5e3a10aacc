#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wan::telemetry {

struct MessageShape;

/// What a length-delimited field of a Protocol Buffers message may hold.
struct FieldShape {
  enum class Kind { kText, kBytes, kMessage };
  std::uint32_t number = 0;
  std::string_view name;
  Kind kind = Kind::kText;
  std::size_t count_max = 1;              ///< how often it may stand in its message
  std::size_t size_min = 0;               ///< in bytes, of each
  std::size_t size_max = 0;               ///< likewise; 0: as long as its message allows
  const MessageShape* message = nullptr;  ///< of kMessage
};

/// The length-delimited fields of one message type; a reader passes over others.
struct MessageShape {
  static constexpr std::size_t kFieldsMax = 8;
  std::span<const FieldShape> fields;  ///< at most kFieldsMax
};

/// What is wrong with a message, and where in it, as `program.demands[3].paths`.
struct ShapeFault {
  std::string where;
  std::string what;
};

/// Looks over encoded bytes before anything is made of them: tags and lengths fit, lists and texts are within their
/// limits, texts are printable ASCII. It is what keeps a few megabytes of empty list entries from becoming gigabytes
/// of objects.
///
/// @return  nothing when all is well
/// Threads: reentrant.  Cost: linear in the bytes, no memory; nests as deep as `shape` does.
[[nodiscard]] std::optional<ShapeFault> shape_fault(std::string_view bytes, const MessageShape& shape);

/// The newest value of a whole-number field at the top of a message; nothing if it is absent or the bytes are no
/// message.
[[nodiscard]] std::optional<std::uint64_t> top_level_number(std::string_view bytes, std::uint32_t field);

}  // namespace wan::telemetry
