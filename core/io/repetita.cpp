#include <string>
#include <vector>

#include "core/io/formats.h"
#include "core/io/number_text.h"
#include "core/io/topology_draft.h"

namespace wan::io {
namespace {

using Fields = std::vector<std::string_view>;

/// Reads a section head, `NODES 12`, and the row of column names below it.
Result<std::size_t> read_head(const TextSource& source, LineReader& lines, std::string_view keyword,
                              std::string_view columns, std::size_t count_max) {
  const Fields head = lines.next_fields();
  if (head.size() != 2 || head[0] != keyword) {
    return source.fail_at(lines.offset(), "expected \"", keyword, " COUNT\"",
                          head.empty() ? "" : joined(", found ", in_quotes(head[0])));
  }
  const auto count = parse_count(head[1]);
  if (!count) return source.fail_at(lines.offset(), in_quotes(head[1]), " is no number of rows");
  if (*count > count_max) {
    return source.fail_at(lines.offset(), head[1].substr(0, 30), " rows; at most ", count_max, " are read");
  }
  std::string found;
  for (const std::string_view field : lines.next_fields()) found.append(found.empty() ? "" : " ").append(field);
  if (found != columns) return source.fail_at(lines.offset(), "expected the columns \"", columns, "\"");
  return *count;
}

/// Reads a row of exactly `size` fields.
Result<Fields> read_row(const TextSource& source, LineReader& lines, std::size_t size, std::size_t row,
                        std::size_t rows, std::string_view what) {
  Fields fields = lines.next_fields();
  if (fields.empty()) {
    return source.fail_at(lines.offset(), "the file ends after ", row, " of ", rows, " ", what, " rows");
  }
  if (fields.size() != size) {
    return source.fail_at(lines.offset(), what, " row ", row, " of ", rows, " needs ", size, " fields and has ",
                          fields.size() > 6 ? "more" : std::to_string(fields.size()));
  }
  return fields;
}

Result<void> expect_end(const TextSource& source, LineReader& lines) {
  const Fields more = lines.next_fields();
  if (more.empty()) return {};
  return source.fail_at(lines.offset(), in_quotes(more[0]), " after the last row that the count announces");
}

tl::unexpected<Error> not_a_number(const TextSource& source, std::size_t offset, std::string_view column,
                                   std::string_view token) {
  return source.fail_at(offset, column, " ", in_quotes(token), " is not a finite number");
}

Result<void> read_node(const TextSource& source, const Fields& row, std::size_t offset, std::size_t index,
                       TopologyDraft& draft) {
  const auto x = parse_number(row[1]);
  const auto y = parse_number(row[2]);
  if (!x || !y) return not_a_number(source, offset, "coordinate", x ? row[2] : row[1]);
  DraftNode node{.id = std::to_string(index), .label = std::string{row[0]}, .location = {}, .offset = offset};
  if (*x != 0.0 || *y != 0.0) node.location = GeoPoint{.latitude = *y, .longitude = *x};  // "0 0" stands for unknown
  return draft.add_node(std::move(node));
}

Result<std::size_t> read_end(const TextSource& source, std::size_t offset, std::string_view token, std::size_t nodes) {
  const auto index = parse_count(token);
  if (!index || *index >= nodes) {
    return source.fail_at(offset, "node ", in_quotes(token), " does not exist: there are ", nodes, ", counted from 0");
  }
  return *index;
}

Result<void> read_edge(const TextSource& source, const Fields& row, std::size_t offset, std::size_t nodes,
                       TopologyDraft& draft) {
  const auto from = read_end(source, offset, row[1], nodes);
  if (!from) return error_of(from);
  const auto to = read_end(source, offset, row[2], nodes);
  if (!to) return error_of(to);
  DraftLink link{.from = *from,
                 .to = *to,
                 .both_ways = false,
                 .capacity_bps = parse_number(row[4], 3),
                 .delay_us = parse_number(row[5]),
                 .weight = parse_number(row[3]),
                 .offset = offset};
  if (!link.weight) return not_a_number(source, offset, "weight", row[3]);
  if (!link.capacity_bps) return not_a_number(source, offset, "bw", row[4]);
  if (!link.delay_us) return not_a_number(source, offset, "delay", row[5]);
  return draft.add_link(link);
}

}  // namespace

Result<TopologyFile> parse_repetita_graph(const TextSource& source) {
  LineReader lines{source};
  TopologyDraft draft{source};
  const auto nodes = read_head(source, lines, "NODES", "label x y", kNodesMax);
  if (!nodes) return error_of(nodes);
  for (std::size_t n = 0; n < *nodes; ++n) {
    const auto row = read_row(source, lines, 3, n, *nodes, "node");
    if (!row) return error_of(row);
    if (auto added = read_node(source, *row, lines.offset(), n, draft); !added) return error_of(added);
  }
  const auto edges = read_head(source, lines, "EDGES", "label src dest weight bw delay", kLinksMax);
  if (!edges) return error_of(edges);
  for (std::size_t e = 0; e < *edges; ++e) {
    const auto row = read_row(source, lines, 6, e, *edges, "edge");
    if (!row) return error_of(row);
    if (auto added = read_edge(source, *row, lines.offset(), *nodes, draft); !added) {
      return error_of(added);
    }
  }
  if (auto end = expect_end(source, lines); !end) return error_of(end);
  return std::move(draft).finish();
}

Result<TrafficMatrix> parse_repetita_demands(const TextSource& source, const Topology& topology) {
  constexpr std::size_t kDemandsMax = 10'000'000;
  LineReader lines{source};
  const auto count = read_head(source, lines, "DEMANDS", "label src dest bw", kDemandsMax);
  if (!count) return error_of(count);
  if (*count == 0) return source.fail_at(0, "holds no demand");
  auto matrix = empty_matrix(source, topology);
  if (!matrix) return error_of(matrix);
  for (std::size_t d = 0; d < *count; ++d) {
    const auto row = read_row(source, lines, 4, d, *count, "demand");
    if (!row) return error_of(row);
    const std::size_t offset = lines.offset();
    const auto from = read_end(source, offset, (*row)[1], topology.node_count());
    if (!from) return error_of(from);
    const auto to = read_end(source, offset, (*row)[2], topology.node_count());
    if (!to) return error_of(to);
    const auto bps = parse_number((*row)[3], 3);
    if (!bps) return not_a_number(source, offset, "bw", (*row)[3]);
    if (auto added = add_demand(source, offset, NodeId{*from}, NodeId{*to}, *bps, *matrix); !added) {
      return error_of(added);
    }
  }
  if (auto end = expect_end(source, lines); !end) return error_of(end);
  return matrix;
}

}  // namespace wan::io
