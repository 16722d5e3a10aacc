#include "controller/segment_shift.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "controller/link_prices.h"
#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr double kRounding = 1e-12;  // of a shift: what is left on a bundle below this is nothing

}  // namespace

PricedLinks::PricedLinks(const FlowNetwork& flow_network)
    : network{&flow_network},
      utilization(flow_network.size(), 0.0),
      price(flow_network.size(), 0.0),
      cost(flow_network.size(), 0.0) {}

void PricedLinks::refresh() {
  link_prices(utilization, network->inverse_capacity, sharpness, reference, price);
  for (std::size_t b = 0; b < cost.size(); ++b) cost[b] = price[b] + delay_weight * network->delay[b];
  floor_costs(cost, network->node_count());
}

void PricedLinks::add_load(std::uint32_t bundle, double bps) {
  const double inverse = network->inverse_capacity[bundle];
  utilization[bundle] += bps * inverse;
  price[bundle] = vector_exp(sharpness * (utilization[bundle] - reference)) * inverse;
  cost[bundle] = price[bundle] + delay_weight * network->delay[bundle];
}

double PricedLinks::highest_utilization() const {
  return utilization.empty() ? 0.0 : *std::max_element(utilization.begin(), utilization.end());
}

void SegmentPairs::clear() {
  pairs.clear();
  bundles.clear();
}

void SegmentPairs::add(std::size_t slot, std::span<const std::uint32_t> dear, std::span<const std::uint32_t> cheap) {
  const std::size_t first = bundles.size();
  bundles.insert(bundles.end(), dear.begin(), dear.end());
  bundles.insert(bundles.end(), cheap.begin(), cheap.end());
  pairs.push_back({.slot = slot, .first = first, .dear_end = first + dear.size(), .cheap_end = bundles.size()});
}

SegmentShift::SegmentShift(const FlowNetwork& network)
    : network_{&network}, dear_mark_(network.node_count()), cheap_mark_(network.node_count()) {}

std::uint32_t SegmentShift::fullest_into(std::uint32_t node, std::span<const double> flow) const {
  std::uint32_t fullest = FlowNetwork::kNone;
  double most = 0.0;
  for (std::uint32_t i = network_->in_first[node]; i < network_->in_first[node + 1]; ++i) {
    const std::uint32_t bundle = network_->in_bundles[i];
    if (flow[bundle] > most) {
      most = flow[bundle];
      fullest = bundle;
    }
  }
  return fullest;
}

/// The bundles of `dear_` from number `first` on run in a circle.
void SegmentShift::lift_circle(std::size_t first, std::span<double> flow, PricedLinks& links) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = first; i < dear_.size(); ++i) least = std::min(least, flow[dear_[i]]);
  for (std::size_t i = first; i < dear_.size(); ++i) {
    const std::uint32_t bundle = dear_[i];
    flow[bundle] = flow[bundle] - least < kRounding * least ? 0.0 : flow[bundle] - least;
    links.add_load(bundle, -least);
  }
}

/// Both ways are followed backwards by turns, so that the search costs no more than the segments are long.
SegmentShift::Outcome SegmentShift::find_segments(std::uint32_t bundle, const TreeView& tree, std::span<double> flow,
                                                  PricedLinks& links) {
  ++run_;
  const std::uint32_t end = network_->to[bundle];
  std::uint32_t dear_at = network_->from[bundle];
  std::uint32_t cheap_at = end;
  dear_.assign(1, bundle);
  cheap_.clear();
  cheap_mark_[end] = {run_, 0};
  dear_mark_[dear_at] = {run_, 1};
  for (;;) {
    if (const std::uint32_t up = tree.parent(cheap_at); up != FlowNetwork::kNone) {
      cheap_.push_back(up);
      cheap_at = network_->from[up];
      if (dear_mark_[cheap_at].run == run_) {
        dear_.resize(dear_mark_[cheap_at].length);
        return Outcome::kBalanced;
      }
      cheap_mark_[cheap_at] = {run_, cheap_.size()};
    } else if (dear_at == tree.source) {
      return Outcome::kNothing;  // cannot be: both are at the source
    }
    if (dear_at == tree.source) continue;
    const std::uint32_t up = fullest_into(dear_at, flow);
    if (up == FlowNetwork::kNone) return Outcome::kNothing;  // what rounding left of a flow that is gone
    dear_.push_back(up);
    dear_at = network_->from[up];
    if (dear_at == end || dear_mark_[dear_at].run == run_) {
      lift_circle(dear_at == end ? 0 : dear_mark_[dear_at].length, flow, links);
      return Outcome::kUsedUp;
    }
    if (cheap_mark_[dear_at].run == run_) {
      cheap_.resize(cheap_mark_[dear_at].length);
      return Outcome::kBalanced;
    }
    dear_mark_[dear_at] = {run_, dear_.size()};
  }
}

SegmentShift::Outcome SegmentShift::trade(std::span<const std::uint32_t> dear, std::span<const std::uint32_t> cheap,
                                          std::span<double> flow, PricedLinks& links) {
  double most = std::numeric_limits<double>::infinity();
  double delay = 0.0;
  for (const std::uint32_t b : dear) {
    most = std::min(most, flow[b]);
    delay -= network_->delay[b];
  }
  for (const std::uint32_t b : cheap) delay += network_->delay[b];
  if (!(most > 0.0)) return Outcome::kNothing;

  balance_.start(links.delay_weight * delay);
  for (const std::uint32_t b : dear) {
    balance_.add_falling(links.price[b], links.sharpness * network_->inverse_capacity[b]);
  }
  for (const std::uint32_t b : cheap) {
    balance_.add_rising(links.price[b], links.sharpness * network_->inverse_capacity[b]);
  }
  const double moved = balance_.solve(most);
  if (!(moved > 0.0)) return Outcome::kNothing;
  for (const std::uint32_t b : dear) {
    flow[b] = flow[b] - moved < kRounding * moved ? 0.0 : flow[b] - moved;
    links.add_load(b, -moved);
  }
  for (const std::uint32_t b : cheap) {
    flow[b] += moved;
    links.add_load(b, moved);
  }
  return moved >= most ? Outcome::kUsedUp : Outcome::kBalanced;
}

SegmentShift::Outcome SegmentShift::run(std::uint32_t bundle, const TreeView& tree, std::span<double> flow,
                                        PricedLinks& links, std::size_t slot, SegmentPairs& pairs) {
  const Outcome found = find_segments(bundle, tree, flow, links);
  if (found != Outcome::kBalanced) return found;
  const Outcome traded = trade(dear_, cheap_, flow, links);
  if (traded == Outcome::kBalanced) pairs.add(slot, dear_, cheap_);
  return traded;
}

SegmentShift::Outcome SegmentShift::run_again(const SegmentPairs& pairs, const SegmentPairs::Pair& pair,
                                              std::span<double> flow, PricedLinks& links, double worth) {
  const std::span all{pairs.bundles};
  std::span<const std::uint32_t> dear = all.subspan(pair.first, pair.dear_end - pair.first);
  std::span<const std::uint32_t> cheap = all.subspan(pair.dear_end, pair.cheap_end - pair.dear_end);
  const auto cost_of = [&links](std::span<const std::uint32_t> segment) {
    return std::accumulate(segment.begin(), segment.end(), 0.0,
                           [&links](double sum, std::uint32_t b) { return sum + links.cost[b]; });
  };
  double high = cost_of(dear);
  double low = cost_of(cheap);
  if (high < low) {
    std::swap(high, low);
    std::swap(dear, cheap);
  }
  return high - low > worth * high ? trade(dear, cheap, flow, links) : Outcome::kNothing;
}

}  // namespace wan::controller
