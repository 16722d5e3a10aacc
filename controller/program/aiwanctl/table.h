#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wan::aiwanctl {

/// What a cell means; it becomes a colour where colours are wanted, and nothing elsewhere.
enum class Tone { kPlain, kGood, kWarning, kBad, kFaint, kStrong };

/// Text with its colour around it, or as it is.
[[nodiscard]] std::string toned(std::string_view text, Tone tone, bool color);

/// Columns that a terminal's font of one width takes: code points.
[[nodiscard]] std::size_t columns_of(std::string_view text);

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

struct Column {
  std::string name;
  bool right = false;  ///< numbers
};

/// Rows under names, aligned; the last column is never padded, so that it may be long.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}
  /// One cell a column.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Every line ends with a newline and begins with `indent`.
  [[nodiscard]] std::string text(bool color, std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace wan::aiwanctl
