#include "telemetry/wire_shape.h"

#include <algorithm>
#include <array>
#include <utility>

namespace wan::telemetry {
namespace {

enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

/// One tag with its value. Groups (wire types 3 and 4) were given up long ago and are refused.
struct WireField {
  std::uint64_t number = 0;
  WireType type = kVarint;
  std::uint64_t varint = 0;
  std::string_view content;  // of kLengthDelimited
};

/// Takes fields off the front of a message.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_{bytes} {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  [[nodiscard]] std::optional<WireField> next() {
    const auto tag = varint();
    if (!tag) return std::nullopt;
    WireField field{.number = *tag >> 3, .type = static_cast<WireType>(*tag & 7), .varint = 0, .content = {}};
    if (field.number == 0 || field.number > kFieldNumberMax) return std::nullopt;
    switch (field.type) {
      case kVarint: {
        const auto value = varint();
        if (!value) return std::nullopt;
        field.varint = *value;
        return field;
      }
      case kFixed64:
        return skip(8) ? std::optional{field} : std::nullopt;
      case kFixed32:
        return skip(4) ? std::optional{field} : std::nullopt;
      case kLengthDelimited: {
        const auto length = varint();
        if (!length || *length > rest_.size()) return std::nullopt;
        field.content = rest_.substr(0, static_cast<std::size_t>(*length));
        return skip(field.content.size()) ? std::optional{field} : std::nullopt;
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint64_t kFieldNumberMax = (std::uint64_t{1} << 29) - 1;

  bool skip(std::size_t count) {
    if (count > rest_.size()) return false;
    rest_.remove_prefix(count);
    return true;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 10 && i < rest_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      value |= std::uint64_t{byte & 0x7fU} << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string place(const FieldShape& field, std::size_t nth) {
  std::string text{field.name};
  if (field.count_max > 1) text.append("[").append(std::to_string(nth)).append("]");
  return text;
}

std::optional<ShapeFault> content_fault(const FieldShape& field, std::string_view content) {
  if (content.size() < field.size_min) return ShapeFault{{}, "shorter than what it must hold"};
  if (field.size_max != 0 && content.size() > field.size_max) {
    return ShapeFault{{}, std::string{"longer than "}.append(std::to_string(field.size_max)).append(" bytes")};
  }
  switch (field.kind) {
    case FieldShape::Kind::kText:
      if (!is_printable(content)) return ShapeFault{{}, "not printable"};
      break;
    case FieldShape::Kind::kMessage:
      return shape_fault(content, *field.message);
    case FieldShape::Kind::kBytes:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ShapeFault> shape_fault(std::string_view bytes, const MessageShape& shape) {
  std::array<std::size_t, MessageShape::kFieldsMax> counts{};
  for (WireReader reader{bytes}; !reader.at_end();) {
    const auto wire = reader.next();
    if (!wire) return ShapeFault{{}, "cut short, or no message at all"};
    const auto known = std::find_if(shape.fields.begin(), shape.fields.end(),
                                    [&](const FieldShape& field) { return field.number == wire->number; });
    if (known == shape.fields.end()) continue;
    std::size_t& count = counts[static_cast<std::size_t>(known - shape.fields.begin())];
    if (wire->type != kLengthDelimited) return ShapeFault{place(*known, count), "of another type"};
    if (++count > known->count_max) {
      return ShapeFault{std::string{known->name}, std::string{"more than "}.append(std::to_string(known->count_max))};
    }
    if (auto fault = content_fault(*known, wire->content)) {
      std::string where = place(*known, count - 1);
      if (!fault->where.empty()) where.append(".").append(fault->where);
      return ShapeFault{std::move(where), std::move(fault->what)};
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> top_level_number(std::string_view bytes, std::uint32_t field) {
  std::optional<std::uint64_t> found;
  for (WireReader reader{bytes}; !reader.at_end();) {
    const auto wire = reader.next();
    if (!wire) return std::nullopt;
    if (wire->number == field && wire->type == kVarint) found = wire->varint;
  }
  return found;
}

}  // namespace wan::telemetry
