#include "core/io/nearest_names.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "core/io/message_text.h"

namespace wan::io {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// How many letters must be put in, taken out or replaced (Levenshtein 1966), row by row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_names(std::string_view word, std::span<const std::string> names, std::size_t shown_max) {
  constexpr std::size_t kWordBytesMax = 100;  // what is longer is no typing error of a name
  const std::string wanted = lower_case(word.substr(0, kWordBytesMax));
  std::vector<std::pair<std::size_t, std::size_t>> ranked;  // distance, position
  ranked.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = lower_case(names[i]);
    const bool part = !wanted.empty() && name.find(wanted) != std::string::npos;
    ranked.emplace_back(part ? 1 : edit_distance(wanted, name), i);
  }
  const std::size_t shown = std::min(shown_max, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end());
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text.append(i == 0 ? "" : ", ").append(on_one_line(names[ranked[i].second]));
  }
  if (shown < names.size()) text.append(joined(" and ", names.size() - shown, " more"));
  return text.empty() ? "none" : text;
}

}  // namespace wan::io
