#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/text_source.h"
#include "core/result.h"

namespace wan::io {

struct YamlEntry;

/// A YAML document as plain values, each with the line it stands on, for a reader that tells its user where.
struct YamlValue {
  enum class Kind { kEmpty, kScalar, kList, kMap };
  Kind kind = Kind::kEmpty;
  std::size_t line = 1;            ///< counted from 1
  std::string scalar{};            ///< kScalar: its text; what it means is the reader's business
  std::vector<YamlValue> items{};  ///< kList
  std::vector<YamlEntry> entries;  ///< kMap, in the order of the file; no key twice (no {}: clang, incomplete type)
};

struct YamlEntry {
  std::string key;
  std::size_t line = 1;
  YamlValue value;
};

inline constexpr std::size_t kYamlBytesMax = kMebibyte;
inline constexpr std::size_t kYamlDepthMax = 16;

/// Reads a text of one YAML document. Anchors, aliases, tags and keys that are not plain text are refused: no file of
/// ours needs them, and they are how a small text becomes a large or endless one.
///
/// @param name  stands for the file in messages
/// @error kBadInput, "FILE:LINE: ...": malformed YAML, a key that stands twice, over `kYamlDepthMax` levels or
///        `bytes_max` bytes, more than one document
/// Cost: linear. Threads: reentrant.
[[nodiscard]] Result<YamlValue> parse_yaml(std::string_view text, std::string_view name,
                                           std::size_t bytes_max = kYamlBytesMax);

/// kBadInput, "NAME:LINE: KEY: MESSAGE" on one line, whatever the parts hold.
[[nodiscard]] tl::unexpected<Error> yaml_error(std::string_view name, std::size_t line, std::string_view key,
                                               std::string_view message);

}  // namespace wan::io
