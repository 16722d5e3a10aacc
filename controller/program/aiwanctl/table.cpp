#include "controller/program/aiwanctl/table.h"

#include <algorithm>
#include <cassert>

namespace wan::aiwanctl {
namespace {

constexpr std::string_view kGap = "  ";

std::string_view color_of(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kWarning:
      return "\x1b[33m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kFaint:
      return "\x1b[2m";
    case Tone::kStrong:
      return "\x1b[1m";
    case Tone::kPlain:
      break;
  }
  return "";
}

}  // namespace

std::string toned(std::string_view text, Tone tone, bool color) {
  if (!color || tone == Tone::kPlain || text.empty()) return std::string{text};
  return std::string{color_of(tone)}.append(text).append("\x1b[0m");
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

void Table::add(std::vector<Cell> row) {
  assert(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text(bool color, std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t at = 0; at < columns_.size(); ++at) {
    std::size_t width = columns_of(columns_[at].name);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[at].text));
    widths.push_back(width);
  }
  std::string out;
  const auto add_line = [&](const auto& cell_at) {
    out += indent;
    for (std::size_t at = 0; at < columns_.size(); ++at) {
      const auto [text, tone] = cell_at(at);
      const bool last = at + 1 == columns_.size();
      const std::string padding(widths[at] - columns_of(text), ' ');
      if (columns_[at].right) out += padding;
      out += toned(text, tone, color);
      if (!columns_[at].right && !last) out += padding;
      if (!last) out += kGap;
    }
    out += '\n';
  };
  add_line([&](std::size_t at) { return std::pair<std::string_view, Tone>{columns_[at].name, Tone::kStrong}; });
  for (const auto& row : rows_) {
    add_line([&](std::size_t at) { return std::pair<std::string_view, Tone>{row[at].text, row[at].tone}; });
  }
  return out;
}

}  // namespace wan::aiwanctl
