#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/yaml_tree.h"
#include "core/result.h"
#include "core/units.h"

namespace wan::io {

/// Takes the fields of a YAML file apart, for a reader of one format. The first thing that is wrong is kept and told
/// with file, line and key; what is asked for afterwards is given as if all were well, or not at all.
///
/// `key` names a field from the root in messages: `ports[2].mtu`.
/// Threads: one owner.
class YamlFields {
 public:
  using Keys = std::initializer_list<std::string_view>;

  explicit YamlFields(const std::filesystem::path& file) : folder_{file.parent_path()}, name_{file.string()} {}

  /// Keeps this as what is wrong, unless something was already.
  void refuse(std::size_t line, std::string_view key, std::string_view message);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& file_name() const { return name_; }

  /// The entries of a map, all of whose keys must be `allowed`; none when it is no such map.
  [[nodiscard]] std::vector<YamlEntry> entries(const YamlValue& value, std::size_t line, const std::string& key,
                                               Keys allowed);
  /// The items of a list; none when it is no list, is longer than `items_max`, or has no value (all its lines
  /// commented out), which alone is no error.
  [[nodiscard]] std::vector<YamlValue> items(const YamlEntry& entry, const std::string& key, std::size_t items_max);
  /// One line of at least one character.
  [[nodiscard]] std::optional<std::string> text(const YamlEntry& entry, const std::string& key, std::size_t bytes_max);
  [[nodiscard]] std::optional<std::string> text(const YamlValue& value, std::size_t line, const std::string& key,
                                                std::size_t bytes_max);
  /// One of these words, by its position.
  [[nodiscard]] std::optional<std::size_t> choice(const YamlEntry& entry, const std::string& key, Keys allowed);
  [[nodiscard]] std::optional<bool> yes_no(const YamlEntry& entry, const std::string& key);
  [[nodiscard]] std::optional<double> number(const YamlEntry& entry, const std::string& key, double low, double high);
  [[nodiscard]] std::optional<std::uint64_t> whole(const YamlEntry& entry, const std::string& key, std::uint64_t low,
                                                   std::uint64_t high);
  /// Relative to the folder that the file lies in.
  [[nodiscard]] std::optional<std::filesystem::path> path(const YamlEntry& entry, const std::string& key);
  /// `20 Mbit/s`, `1.5 Gbit/s`; above zero.
  [[nodiscard]] std::optional<BitRate> bit_rate(const YamlEntry& entry, const std::string& key);
  /// `250 ms`, `1 s`, `2 h`; from `low` to `high`.
  [[nodiscard]] std::optional<Duration> duration(const YamlEntry& entry, const std::string& key, Duration low,
                                                 Duration high);
  /// `64 MiB`, `1500 B`; from `low` to `high`.
  [[nodiscard]] std::optional<std::uint64_t> byte_size(const YamlEntry& entry, const std::string& key,
                                                       std::uint64_t low, std::uint64_t high);

  /// A value as a message shows it.
  [[nodiscard]] static std::string shown(const YamlValue& value);

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::optional<Error> error_;
};

/// "a, b, c"
template <typename Names>
[[nodiscard]] std::string listed(const Names& names) {
  std::string text;
  for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace wan::io
