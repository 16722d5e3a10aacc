#include "core/io/yaml_fields.h"

#include <algorithm>

#include "core/io/message_text.h"
#include "core/io/number_text.h"
#include "core/io/quantity_text.h"

namespace wan::io {

void YamlFields::refuse(std::size_t line, std::string_view key, std::string_view message) {
  if (!error_) error_ = yaml_error(name_, line, key, message).value();
}

/// The entries of a map, all of whose keys must be `allowed`; none when it is no such map.
std::vector<YamlEntry> YamlFields::entries(const YamlValue& value, std::size_t line, const std::string& key,
                                           Keys allowed) {
  if (value.kind != YamlValue::Kind::kMap) {
    refuse(line, key, "must be a map of " + listed(allowed));
    return {};
  }
  for (const YamlEntry& entry : value.entries) {
    if (std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end()) continue;
    refuse(entry.line, key.empty() ? std::string{} : key,
           "unknown key " + in_quotes(entry.key) + "; allowed are " + listed(allowed));
    return {};
  }
  return value.entries;
}

std::optional<std::string> YamlFields::text(const YamlEntry& entry, const std::string& key, std::size_t bytes_max) {
  return text(entry.value, entry.line, key, bytes_max);
}
std::optional<std::string> YamlFields::text(const YamlValue& value, std::size_t line, const std::string& key,
                                            std::size_t bytes_max) {
  if (value.kind != YamlValue::Kind::kScalar || trimmed(value.scalar).empty()) {
    refuse(line, key, "must be one text");
  } else if (value.scalar.size() > bytes_max) {
    refuse(line, key, "must be at most " + std::to_string(bytes_max) + " bytes long");
  } else if (has_control_character(value.scalar)) {
    refuse(line, key, "must be one line without control characters");
  } else {
    return value.scalar;
  }
  return std::nullopt;
}

std::optional<double> YamlFields::number(const YamlEntry& entry, const std::string& key, double low, double high) {
  const auto value = entry.value.kind == YamlValue::Kind::kScalar ? parse_number(entry.value.scalar) : std::nullopt;
  if (value && *value >= low && *value <= high) return value;
  refuse(entry.line, key,
         shown(entry.value) + ": must be a number from " + format_number(low) + " to " + format_number(high));
  return std::nullopt;
}

std::optional<std::uint64_t> YamlFields::whole(const YamlEntry& entry, const std::string& key, std::uint64_t low,
                                               std::uint64_t high) {
  const auto value = entry.value.kind == YamlValue::Kind::kScalar ? parse_count(entry.value.scalar) : std::nullopt;
  if (value && *value >= low && *value <= high) return value;
  refuse(entry.line, key,
         shown(entry.value) + ": must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return std::nullopt;
}

std::optional<std::filesystem::path> YamlFields::path(const YamlEntry& entry, const std::string& key) {
  constexpr std::size_t kPathBytesMax = 4000;
  const auto value = text(entry, key, kPathBytesMax);
  if (!value) return std::nullopt;
  return (folder_ / *value).lexically_normal();
}

std::string YamlFields::shown(const YamlValue& value) {
  switch (value.kind) {
    case YamlValue::Kind::kScalar:
      return in_quotes(value.scalar);
    case YamlValue::Kind::kList:
      return "a list";
    case YamlValue::Kind::kMap:
      return "a map";
    case YamlValue::Kind::kEmpty:
      break;
  }
  return "no value";
}

std::vector<YamlValue> YamlFields::items(const YamlEntry& entry, const std::string& key, std::size_t items_max) {
  if (entry.value.kind == YamlValue::Kind::kEmpty) return {};
  if (entry.value.kind != YamlValue::Kind::kList) {
    refuse(entry.line, key, shown(entry.value) + ": must be a list");
  } else if (entry.value.items.size() > items_max) {
    refuse(entry.line, key, "at most " + std::to_string(items_max) + " are read");
  } else {
    return entry.value.items;
  }
  return {};
}

std::optional<std::size_t> YamlFields::choice(const YamlEntry& entry, const std::string& key, Keys allowed) {
  if (entry.value.kind == YamlValue::Kind::kScalar) {
    const auto* found = std::find(allowed.begin(), allowed.end(), entry.value.scalar);
    if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
  }
  refuse(entry.line, key, shown(entry.value) + ": must be one of " + listed(allowed));
  return std::nullopt;
}

std::optional<bool> YamlFields::yes_no(const YamlEntry& entry, const std::string& key) {
  if (entry.value.kind == YamlValue::Kind::kScalar) {
    if (entry.value.scalar == "true") return true;
    if (entry.value.scalar == "false") return false;
  }
  refuse(entry.line, key, shown(entry.value) + ": must be true or false");
  return std::nullopt;
}

std::optional<BitRate> YamlFields::bit_rate(const YamlEntry& entry, const std::string& key) {
  const auto rate = entry.value.kind == YamlValue::Kind::kScalar ? parse_bit_rate(entry.value.scalar) : std::nullopt;
  if (!rate) refuse(entry.line, key, shown(entry.value) + ": must be a rate above zero such as 20 Mbit/s");
  return rate;
}

std::optional<Duration> YamlFields::duration(const YamlEntry& entry, const std::string& key, Duration low,
                                             Duration high) {
  const auto time = entry.value.kind == YamlValue::Kind::kScalar ? parse_duration(entry.value.scalar) : std::nullopt;
  if (time && *time >= low && *time <= high) return time;
  refuse(entry.line, key,
         shown(entry.value) + ": must be a time from " + format_duration(low) + " to " + format_duration(high) +
             ", such as 250 ms");
  return std::nullopt;
}

std::optional<std::uint64_t> YamlFields::byte_size(const YamlEntry& entry, const std::string& key, std::uint64_t low,
                                                   std::uint64_t high) {
  const auto size = entry.value.kind == YamlValue::Kind::kScalar ? parse_byte_size(entry.value.scalar) : std::nullopt;
  if (size && *size >= low && *size <= high) return size;
  refuse(entry.line, key,
         shown(entry.value) + ": must be a size from " + std::to_string(low) + " B to " + std::to_string(high) +
             " B, such as 64 MiB");
  return std::nullopt;
}

}  // namespace wan::io
