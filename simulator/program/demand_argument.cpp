#include "simulator/program/demand_argument.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/io/demand_file.h"
#include "core/io/traffic_csv.h"
#include "core/time.h"
#include "simulator/workload.h"

namespace wan::simulator {
namespace {

/// The whole of `text` as a number, or nothing.
template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<TrafficMatrix> gravity(std::string_view parameters, const Topology& topology,
                              const BestUtilization& best_utilization) {
  const std::size_t colon = parameters.find(':');
  const auto seed = parse_whole<std::uint64_t>(parameters.substr(0, colon));
  const auto wanted =
      colon == std::string_view::npos ? std::optional{0.9} : parse_whole<double>(parameters.substr(colon + 1));
  if (!seed || !wanted || !std::isfinite(*wanted) || *wanted <= 0.0) {
    return fail(ErrorCode::kBadInput, "gravity:" + std::string{parameters} +
                                          ": wanted gravity:SEED[:MLU], a whole number and a utilisation above zero");
  }
  const TrafficMatrix shape = gravity_demands(topology, *seed);
  const auto best = best_utilization(topology, shape);
  if (!best) return tl::unexpected{best.error()};
  if (!std::isfinite(*best) || *best <= 0.0) {
    return fail(ErrorCode::kBadInput, "gravity:" + std::string{parameters} + ": no two nodes are connected");
  }
  return shape.scaled(*wanted / *best);
}

Result<TrafficMatrix> series_row(const std::filesystem::path& file, std::string_view row, const Topology& topology) {
  auto series = io::read_traffic_csv(file, topology);
  if (!series) return tl::unexpected{series.error()};
  auto& intervals = series->intervals;
  const std::string which = file.string() + "@" + std::string{row} + ": ";
  if (const auto number = parse_whole<std::size_t>(row)) {
    if (*number < intervals.size()) return std::move(intervals[*number]);
    return fail(ErrorCode::kNotFound,
                which + "the series has " + std::to_string(intervals.size()) + " rows, from 0 on");
  }
  const auto time = parse_timestamp(row);
  if (!time) return fail(ErrorCode::kBadInput, which + "wanted a row number or a time after the @");
  const auto found = std::find_if(intervals.begin(), intervals.end(),
                                  [&](const TrafficMatrix& matrix) { return matrix.measured_at() == *time; });
  if (found == intervals.end()) return fail(ErrorCode::kNotFound, which + "no row begins at this time");
  return std::move(*found);
}

}  // namespace

Result<TrafficMatrix> resolve_demands(std::string_view argument, const Topology& topology,
                                      const BestUtilization& best_utilization) {
  constexpr std::string_view kGravity = "gravity:";
  if (argument.starts_with(kGravity)) return gravity(argument.substr(kGravity.size()), topology, best_utilization);

  std::error_code ignored;  // a name that cannot be looked up is reported by the reader
  const bool is_file = std::filesystem::exists(std::filesystem::path{argument}, ignored);
  const std::size_t at = argument.rfind('@');
  if (!is_file && at != std::string_view::npos) {
    return series_row(std::filesystem::path{argument.substr(0, at)}, argument.substr(at + 1), topology);
  }
  if (is_file && argument.ends_with(".csv")) {
    return fail(ErrorCode::kBadInput, std::string{argument} + ": a series of matrices; choose one row with " +
                                          std::string{argument} + "@ROW");
  }
  return io::read_demands(std::filesystem::path{argument}, topology);
}

}  // namespace wan::simulator
