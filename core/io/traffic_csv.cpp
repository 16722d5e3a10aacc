#include "core/io/traffic_csv.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/io/formats.h"
#include "core/io/number_text.h"
#include "core/io/topology_draft.h"

namespace wan::io {
namespace {

constexpr std::size_t kCsvBytesMax = 384 * kMebibyte;

struct CsvField {
  std::string_view text;  ///< without its quotes; good until the next field is read
  bool ends_record = false;
};

/// Takes an RFC 4180 text apart, field by field: a row may have millions.
class CsvReader {
 public:
  explicit CsvReader(const TextSource& source) : source_{source}, text_{source.text()} {}

  /// Whether only blank lines are left; to be asked between records.
  [[nodiscard]] bool at_end() const { return text_.find_first_not_of(" \t\r\n", at_) == std::string_view::npos; }
  /// @error kBadInput: quotes in the wrong place, or a row over 64 MiB
  [[nodiscard]] Result<CsvField> next_field();
  /// Where the field read last began.
  [[nodiscard]] std::size_t offset() const { return field_begin_; }
  /// Where the next one begins.
  [[nodiscard]] std::size_t next_offset() const { return at_; }

 private:
  [[nodiscard]] Result<std::string_view> quoted_field();
  [[nodiscard]] Result<std::string_view> plain_field();

  const TextSource& source_;
  std::string_view text_;
  std::string unquoted_;
  std::size_t at_ = 0;
  std::size_t record_begin_ = 0;
  std::size_t field_begin_ = 0;
};

Result<CsvField> CsvReader::next_field() {
  field_begin_ = at_;
  const auto text = at_ < text_.size() && text_[at_] == '"' ? quoted_field() : plain_field();
  if (!text) return error_of(text);
  const bool comma = at_ < text_.size() && text_[at_] == ',';
  if (comma) {
    ++at_;
  } else {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size()) ++at_;
    record_begin_ = at_;
  }
  return CsvField{.text = *text, .ends_record = !comma};
}

Result<std::string_view> CsvReader::plain_field() {
  const std::size_t end = std::min(text_.find_first_of(",\"\n", at_), text_.size());
  if (end < text_.size() && text_[end] == '"') return source_.fail_at(end, "a quote inside a field that is not quoted");
  std::string_view field = text_.substr(at_, end - at_);
  const bool ends_record = end == text_.size() || text_[end] == '\n';
  if (ends_record && field.ends_with('\r')) field.remove_suffix(1);
  at_ += field.size();
  return field;
}

Result<std::string_view> CsvReader::quoted_field() {
  const std::size_t opening = at_++;
  unquoted_.clear();
  for (;;) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) return source_.fail_at(opening, "a quoted field without closing quote");
    if (quote - record_begin_ > kLineBytesMax) {  // line breaks may stand in quotes
      return source_.fail_at(record_begin_, "a row over ", kLineBytesMax / kMebibyte, " MiB");
    }
    unquoted_.append(text_.substr(at_, quote - at_));
    at_ = quote + 1;
    if (at_ >= text_.size() || text_[at_] != '"') break;
    unquoted_ += '"';
    ++at_;
  }
  const std::string_view rest = text_.substr(at_, 2);
  if (rest.empty() || rest[0] == ',' || rest[0] == '\n' || rest == "\r\n" || rest == "\r") return unquoted_;
  return source_.fail_at(at_, "text after the closing quote of a field");
}

/// Finds the pair of nodes that a column name stands for; node names may themselves hold '>'.
class PairNames {
 public:
  explicit PairNames(const Topology& topology) {
    for (std::size_t n = 0; n < topology.node_count(); ++n) {
      const std::string& name = topology.nodes()[n].name;
      by_name_.emplace(name, NodeId{n});
      longest_ = std::max(longest_, name.size());
    }
  }

  /// Every way to read the name as SRC>DST.
  [[nodiscard]] std::vector<std::pair<NodeId, NodeId>> readings(std::string_view column) const {
    std::vector<std::pair<NodeId, NodeId>> found;
    if (column.size() > 2 * longest_ + 1) return found;
    for (std::size_t cut = column.find('>'); cut != std::string_view::npos; cut = column.find('>', cut + 1)) {
      const auto from = by_name_.find(column.substr(0, cut));
      const auto to = by_name_.find(column.substr(cut + 1));
      if (from != by_name_.end() && to != by_name_.end()) found.emplace_back(from->second, to->second);
    }
    return found;
  }

 private:
  std::unordered_map<std::string_view, NodeId> by_name_;  // looked up only; views the topology's names
  std::size_t longest_ = 0;
};

using Columns = std::vector<std::pair<NodeId, NodeId>>;

Result<Columns> read_header(const TextSource& source, CsvReader& csv, const Topology& topology) {
  const auto time = csv.next_field();
  if (!time) return error_of(time);
  if (time->text != "time") return source.fail_at(0, "the first column must be \"time\", not ", in_quotes(time->text));
  if (time->ends_record) return source.fail_at(0, "the header names no SRC>DST pair");

  const PairNames names{topology};
  const std::size_t n = topology.node_count();
  std::vector<bool> seen(n * n, false);
  Columns columns;
  for (bool last = false; !last;) {
    const auto field = csv.next_field();
    if (!field) return error_of(field);
    last = field->ends_record;
    const auto refuse = [&](std::string_view why) {
      return source.fail_at(csv.offset(), "column ", columns.size() + 2, ", ", in_quotes(field->text), ", ", why);
    };
    const auto readings = names.readings(field->text);
    if (readings.empty()) return refuse("is not SRC>DST of two nodes of the topology");
    if (readings.size() > 1) return refuse("can be read as more than one pair of nodes");
    const auto [from, to] = readings.front();
    if (from == to) return refuse("leads from a node to itself");
    if (seen[from.index() * n + to.index()]) return refuse("appears twice");
    seen[from.index() * n + to.index()] = true;
    columns.push_back(readings.front());
  }
  return columns;
}

/// Reads one row into a matrix.
Result<void> read_row(const TextSource& source, CsvReader& csv, const Columns& columns, TrafficMatrix& matrix) {
  const auto time = csv.next_field();
  if (!time) return error_of(time);
  const auto measured_at = parse_timestamp(time->text);
  if (!measured_at)
    return source.fail_at(csv.offset(), in_quotes(time->text), " is not a time like 2004-03-01T00:00:00Z");
  matrix.set_measured_at(*measured_at);

  bool last = time->ends_record;
  const std::size_t width = columns.size() + 1;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (last) {
      return source.fail_at(csv.offset(), "a row of ", c + 1, " fields under a header of ", width);
    }
    const auto field = csv.next_field();
    if (!field) return error_of(field);
    last = field->ends_record;
    const auto bps = parse_number(field->text, 6);
    if (!bps || *bps < 0.0 || *bps > kRateBpsMax) {
      return source.fail_at(csv.offset(), "column ", c + 2, ": ", in_quotes(field->text),
                            " is not a rate from 0 to 1e12 Mbit/s");
    }
    matrix.set(columns[c].first, columns[c].second, BitRate::bps(*bps));
  }
  if (!last) return source.fail_at(csv.offset(), "a row of over ", width, " fields under a header of ", width);
  return {};
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace

Result<TrafficSeries> read_traffic_csv(const std::filesystem::path& file, const Topology& topology) {
  const auto text = read_whole_file(file, kCsvBytesMax);
  if (!text) return error_of(text);
  return parse_traffic_csv(*text, file.string(), topology);
}

Result<TrafficSeries> parse_traffic_csv(std::string_view text, std::string_view name, const Topology& topology) {
  const auto source = TextSource::open(text, name, kCsvBytesMax);
  if (!source) return error_of(source);
  const std::size_t n = topology.node_count();
  constexpr std::size_t kMatrixOverhead = 128;  // of the object and its allocation, which count when N is small
  const std::size_t matrix_bytes = n * n * sizeof(double) + kMatrixOverhead;
  CsvReader csv{*source};
  const auto columns = read_header(*source, csv, topology);
  if (!columns) return error_of(columns);

  TrafficSeries series;
  while (!csv.at_end()) {
    const std::size_t offset = csv.next_offset();
    if ((series.intervals.size() + 1) * matrix_bytes > kMatrixBytesMax) {
      return source->fail_at(offset, "the matrices up to here need over ", kMatrixBytesMax / kMebibyte, " MiB");
    }
    TrafficMatrix matrix{n};
    if (auto read = read_row(*source, csv, *columns, matrix); !read) return error_of(read);
    if (!series.intervals.empty() && matrix.measured_at() <= series.intervals.back().measured_at()) {
      return source->fail_at(offset, "time ", format_timestamp(matrix.measured_at()), " is not after the row before");
    }
    series.intervals.push_back(std::move(matrix));
  }
  if (series.intervals.empty()) return source->fail_at(0, "holds a header but no row");
  return series;
}

Result<void> write_traffic_csv(const std::filesystem::path& file, const Topology& topology,
                               const TrafficSeries& series) {
  const std::size_t n = topology.node_count();
  const PairNames names{topology};
  std::string out = "time";
  for (std::size_t from = 0; from < n; ++from) {
    for (std::size_t to = 0; to < n; ++to) {
      if (from == to) continue;
      const std::string column = joined(topology.nodes()[from].name, ">", topology.nodes()[to].name);
      if (names.readings(column).size() != 1) {
        return fail(ErrorCode::kUnsupported,
                    joined(file.string(), ": column ", in_quotes(column), " would be ambiguous"));
      }
      out.append(",").append(csv_field(column));
    }
  }
  out += '\n';
  for (const TrafficMatrix& matrix : series.intervals) {
    if (matrix.node_count() != n || matrix.class_count() != 1) {
      return fail(ErrorCode::kShapeMismatch, joined(file.string(), ": a matrix is not [1][", n, "][", n, "]"));
    }
    out += format_timestamp(matrix.measured_at());
    for (std::size_t i = 0; i < n * n; ++i) {
      if (i / n != i % n) out.append(",").append(format_number(matrix.bps()[i], 6));
    }
    out += '\n';
  }
  return write_whole_file(file, out);
}

}  // namespace wan::io
