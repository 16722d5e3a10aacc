#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wan::models {

/// A named array of a model, as kept in `weights.bin`.
struct NamedArray {
  std::string name;
  std::vector<float> values;
  bool operator==(const NamedArray&) const = default;
};

/// The bytes of `weights.bin`; docs/formats/model.md describes them.
[[nodiscard]] std::string format_weights(std::span<const NamedArray> arrays);

/// @param name  stands for the file in messages
/// @error kBadInput: other bytes than `format_weights` writes. No claim in the file makes the reader allocate more than
///        the file is long
[[nodiscard]] Result<std::vector<NamedArray>> parse_weights(std::string_view bytes, std::string_view name);

/// 16 hexadecimal digits over the bytes of a file.
[[nodiscard]] std::string digest_of_bytes(std::string_view bytes);

/// A whole file of a model folder.
/// @error kNotFound, kIo; kBadInput: longer than `bytes_max`
[[nodiscard]] Result<std::string> read_model_file(const std::filesystem::path& file, std::size_t bytes_max);
/// Puts a whole file in place at once: a reader sees the old one or the new one.
/// @error kIo
[[nodiscard]] Result<void> write_model_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace wan::models
