#include "controller/program/aiwanctl/top_frame.h"

#include <algorithm>
#include <vector>

#include "controller/program/aiwanctl/quantities.h"
#include "controller/program/aiwanctl/table.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

constexpr std::size_t kBarCells = 20;

Tone tone_of_mode(const Json& status) {
  if (is_true(field(status, "paused"))) return Tone::kWarning;
  return shown(field(status, "mode")) == "auto" ? Tone::kGood : Tone::kPlain;
}

std::string mode_text(const Json& status) {
  std::string text = shown(field(status, "mode"));
  if (!is_true(field(status, "paused"))) return text;
  const Json& until = field(status, "paused_until");
  return text.append(", paused")
      .append(until.is_string() ? " until " : "")
      .append(until.is_string() ? shown(until) : "");
}

std::vector<std::string> header(const TopData& data, const Look& look) {
  const Json& status = data.status;
  const Json &nodes = field(status, "nodes"), &links = field(status, "links"), &measured = field(status, "measured");
  std::vector<std::string> lines;
  lines.push_back(
      toned("aiwand  ", Tone::kStrong, look.color)
          .append(toned(mode_text(status), tone_of_mode(status), look.color))
          .append(io::joined("   traffic ", shown_rate(field(measured, "total_bps")), "   epoch ",
                             shown(field(status, "epoch")), "   nodes ", shown(field(nodes, "reporting")), "/",
                             shown(field(nodes, "managed")), "   links ", shown(field(links, "up")), "/",
                             shown(field(links, "all")), "   alarms ", shown(field(status, "alarms")))));
  lines.push_back(io::joined(
      "measured ", shown(field(measured, "time")), "   busiest ", shown_percent(field(measured, "max_utilization")),
      " on ", shown(field(measured, "max_utilization_link")), "   forecaster ", shown(field(status, "forecaster"))));
  lines.push_back(data.decision.is_object()
                      ? io::joined("decision ", shown(field(data.decision, "id")), "   ",
                                   shown(field(data.decision, "action")), ", ", shown(field(data.decision, "state")),
                                   "   moved ", shown_percent(field(data.decision, "moved_share")), "   ",
                                   shown(field(data.decision, "reason")))
                      : std::string{"no decision yet"});
  for (const Json& reason : items_of(status, "degraded")) {
    lines.push_back(toned(io::joined("degraded: ", shown(reason)), Tone::kWarning, look.color));
  }
  if (data.trouble) lines.push_back(toned(error_line(*data.trouble), Tone::kBad, look.color));
  return lines;
}

std::vector<const Json*> busiest_first(const Json& links) {
  std::vector<const Json*> sorted;
  for (const Json& link : links) sorted.push_back(&link);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) {
    const double left = number_of(field(*a, "utilization")).value_or(-1.0);
    const double right = number_of(field(*b, "utilization")).value_or(-1.0);
    return left != right ? left > right : shown(field(*a, "name")) < shown(field(*b, "name"));
  });
  return sorted;
}

std::string links_text(const Json& links, const Look& look) {
  Table table{{{"LINK"},
               {""},
               {"UTILIZATION", true},
               {"RATE", true},
               {"CAPACITY", true},
               {"FORECAST P95", true},
               {"DROPS", true},
               {"STATE"}}};
  for (const Json* link : busiest_first(links)) {
    const Json &now = field(*link, "utilization"), &next = field(*link, "forecast_utilization");
    const std::string state = shown(field(*link, "state"));
    const bool drained = is_true(field(*link, "drained"));
    table.add({{shown(field(*link, "name"))},
               {bar(number_of(now).value_or(0.0), kBarCells), tone_of_utilization(now)},
               {shown_percent(now), tone_of_utilization(now)},
               {shown_rate(field(*link, "rate_bps"))},
               {shown_rate(field(*link, "capacity_bps"))},
               {shown_percent(next), tone_of_utilization(next)},
               {shown_count(field(*link, "drops"), "packet")},
               {drained ? state + ", drained" : state, state == "down" ? Tone::kBad
                                                       : drained       ? Tone::kWarning
                                                                       : Tone::kFaint}});
  }
  return table.text(look.color);
}

}  // namespace

std::string cut_to_columns(std::string_view line, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  bool colored = false;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at + 1;
    if (line[at] == '\x1b') {
      end = std::min(line.find('m', at), line.size() - 1) + 1;
      colored = true;
    } else {
      while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) ++end;
      if (++used > columns) return colored ? out.append("\x1b[0m") : out;
    }
    out.append(line.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string top_frame(const TopData& data, const Look& look, FrameSize size) {
  std::vector<std::string> lines = header(data, look);
  lines.emplace_back();
  const std::string links = links_text(data.links, look);
  for (std::size_t begin = 0; begin < links.size();) {
    const std::size_t end = links.find('\n', begin);
    lines.push_back(links.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.size() > size.rows) {
    const std::size_t hidden = lines.size() - size.rows + 1;
    lines.resize(size.rows > 0 ? size.rows - 1 : 0);
    lines.push_back(toned(io::joined(hidden, " more lines"), Tone::kFaint, look.color));
  }
  std::string out;
  for (const std::string& line : lines) out.append(cut_to_columns(line, size.columns)).append("\n");
  return out;
}

}  // namespace wan::aiwanctl
