#include "tests/unit/controller/path_lp.h"

#include <algorithm>
#include <coin/ClpSimplex.hpp>
#include <coin/CoinPackedMatrix.hpp>
#include <coin/CoinPackedVector.hpp>
#include <stdexcept>

namespace wan::test {
namespace {

void extend(const Topology& topology, NodeId at, NodeId to, std::vector<bool>& visited, std::vector<LinkId>& links,
            std::vector<std::vector<LinkId>>& found) {
  if (at == to) {
    found.push_back(links);
    return;
  }
  visited[at.index()] = true;
  for (const LinkId id : topology.out_links(at)) {
    const NodeId next = topology.link(id).to;
    if (visited[next.index()]) continue;
    links.push_back(id);
    extend(topology, next, to, visited, links, found);
    links.pop_back();
  }
  visited[at.index()] = false;
}

/// Collects columns, then hands them to Clp in one piece.
class Program {
 public:
  explicit Program(std::size_t row_count)
      : matrix_{true, 0.0, 0.0}, row_lower_(row_count, -COIN_DBL_MAX), row_upper_(row_count, 0.0) {
    matrix_.setDimensions(static_cast<int>(row_count), 0);
  }
  void bound_row(std::size_t row, double lower, double upper) {
    row_lower_[row] = lower;
    row_upper_[row] = upper;
  }
  void add_column(double cost, const CoinPackedVector& entries) {
    cost_.push_back(cost);
    matrix_.appendCol(entries);
  }
  [[nodiscard]] double minimum() const {
    const std::vector<double> lower(cost_.size(), 0.0);
    const std::vector<double> upper(cost_.size(), COIN_DBL_MAX);
    ClpSimplex lp;
    lp.setLogLevel(0);
    lp.setPrimalTolerance(1e-9);
    lp.setDualTolerance(1e-9);
    lp.loadProblem(matrix_, lower.data(), upper.data(), cost_.data(), row_lower_.data(), row_upper_.data());
    lp.primal();
    if (lp.status() != 0) throw std::runtime_error{"Clp stopped with status " + std::to_string(lp.status())};
    return lp.objectiveValue();
  }

 private:
  CoinPackedMatrix matrix_;
  std::vector<double> cost_, row_lower_, row_upper_;
};

/// Utilisation that all demands would cause on their shortest path: brings the numbers that Clp sees near 1.
double usual_utilization(const Topology& topology, std::span<const Commodity> commodities, std::size_t scenario_count) {
  double highest = 0.0;
  for (std::size_t k = 0; k < scenario_count; ++k) {
    std::vector<double> utilization(topology.link_count(), 0.0);
    for (const Commodity& commodity : commodities) {
      const auto shortest = std::min_element(commodity.paths.begin(), commodity.paths.end(),
                                             [](const auto& a, const auto& b) { return a.size() < b.size(); });
      for (const LinkId link : *shortest) {
        utilization[link.index()] += commodity.rate_bps[k] / topology.link(link).capacity.bps();
        highest = std::max(highest, utilization[link.index()]);
      }
    }
  }
  return highest;
}

}  // namespace

std::vector<std::vector<LinkId>> simple_paths(const Topology& topology, NodeId from, NodeId to) {
  std::vector<std::vector<LinkId>> found;
  std::vector<LinkId> links;
  std::vector<bool> visited(topology.node_count(), false);
  if (from != to) extend(topology, from, to, visited, links, found);
  return found;
}

// Columns: the largest utilisation of each scenario (what it is above a common level, with a tail), the level, then the
// share of each path. Rows: [scenario][link], then commodities.
double best_mean_utilization(const Topology& topology, std::span<const Commodity> commodities,
                             std::size_t scenario_count, double tail) {
  const std::size_t links = topology.link_count();
  const double unit = usual_utilization(topology, commodities, scenario_count);
  if (unit == 0.0) return 0.0;
  Program program{scenario_count * links + commodities.size()};
  CoinPackedVector column;
  for (std::size_t k = 0; k < scenario_count; ++k) {
    column.clear();
    for (std::size_t l = 0; l < links; ++l) column.insert(static_cast<int>(k * links + l), -1.0);
    program.add_column(1.0 / (static_cast<double>(scenario_count) * tail), column);
  }
  if (tail < 1.0) {
    column.clear();
    for (std::size_t row = 0; row < scenario_count * links; ++row) column.insert(static_cast<int>(row), -1.0);
    program.add_column(1.0, column);
  }
  for (std::size_t c = 0; c < commodities.size(); ++c) {
    program.bound_row(scenario_count * links + c, 1.0, 1.0);
    for (const auto& path : commodities[c].paths) {
      column.clear();
      for (std::size_t k = 0; k < scenario_count; ++k) {
        const double rate = commodities[c].rate_bps[k];
        if (rate == 0.0) continue;
        for (const LinkId link : path) {
          column.insert(static_cast<int>(k * links + link.index()), rate / topology.link(link).capacity.bps() / unit);
        }
      }
      column.insert(static_cast<int>(scenario_count * links + c), 1.0);
      program.add_column(0.0, column);
    }
  }
  return program.minimum() * unit;
}

PathLp::PathLp(const Topology& topology) : topology_{topology} {
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      paths_.push_back(simple_paths(topology, NodeId{s}, NodeId{t}));
    }
  }
}

double PathLp::best_utilization(const TrafficMatrix& demand) const { return best_mean_utilization({&demand, 1}); }

double PathLp::best_mean_utilization(std::span<const TrafficMatrix> scenarios, double tail) const {
  std::vector<Commodity> commodities;
  for (std::size_t pair = 0; pair < paths_.size(); ++pair) {
    if (paths_[pair].empty()) continue;
    Commodity& commodity = commodities.emplace_back(Commodity{.paths = paths_[pair], .rate_bps = {}});
    for (const TrafficMatrix& scenario : scenarios) commodity.rate_bps.push_back(scenario.bps()[pair]);
  }
  return test::best_mean_utilization(topology_, commodities, scenarios.size(), tail);
}

double PathLp::least_delay_cost(const TrafficMatrix& demand, double utilization) const {
  const std::size_t links = topology_.link_count();
  double unit = 0.0;  // of the cost
  for (const double rate : demand.bps()) unit += rate;
  if (unit == 0.0) return 0.0;
  Program program{links + paths_.size()};
  for (std::size_t l = 0; l < links; ++l) program.bound_row(l, -COIN_DBL_MAX, 1.0);
  CoinPackedVector column;
  for (std::size_t pair = 0; pair < paths_.size(); ++pair) {
    const bool routed = !paths_[pair].empty();
    const double rate = demand.bps()[pair];
    program.bound_row(links + pair, routed ? 1.0 : 0.0, routed ? 1.0 : 0.0);
    for (const auto& path : paths_[pair]) {
      column.clear();
      double delay_ms = 0.0;
      for (const LinkId link : path) {
        delay_ms += to_milliseconds(topology_.link(link).delay);
        if (rate > 0.0) {
          column.insert(static_cast<int>(link.index()), rate / topology_.link(link).capacity.bps() / utilization);
        }
      }
      column.insert(static_cast<int>(links + pair), 1.0);
      program.add_column(rate / unit * delay_ms, column);
    }
  }
  return program.minimum() * unit / 1e3;
}

}  // namespace wan::test
