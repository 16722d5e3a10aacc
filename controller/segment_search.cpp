#include "controller/segment_search.h"

#include <algorithm>
#include <limits>

namespace wan::controller {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kNoLink = std::numeric_limits<std::uint32_t>::max();

}  // namespace

SegmentSearch::SegmentSearch(const Topology& topology, IgpTable& igp, std::size_t depth)
    : topology_{topology}, igp_{igp}, layers_(depth + 1) {
  const std::size_t n = topology.node_count();
  next_.assign(n * n, kNoLink);
  way_cost_.assign(n * n, kInfinity);
  for (std::size_t to = 0; to < n; ++to) {
    for (std::size_t from = 0; from < n; ++from) {
      if (from == to || !igp.unique(NodeId{from}, NodeId{to})) continue;
      next_[to * n + from] = static_cast<std::uint32_t>(igp.next(NodeId{from}, NodeId{to})->index());
    }
  }
  for (Layer& layer : layers_) {
    layer.arrived.resize(n);
    layer.from.resize(n);
    layer.placed.resize(n);
    layer.across.resize(n);
  }
}

void SegmentSearch::set_costs(std::span<const double> link_cost) {
  link_cost_.assign(link_cost.begin(), link_cost.end());
  const std::size_t n = topology_.node_count();
  std::vector<double> cost(n);
  std::vector<std::uint32_t> walk;
  for (std::size_t to = 0; to < n; ++to) {
    const std::uint32_t* next = next_.data() + to * n;
    std::fill(cost.begin(), cost.end(), kInfinity);
    cost[to] = 0.0;
    for (std::size_t from = 0; from < n; ++from) {
      walk.clear();
      std::size_t at = from;
      while (cost[at] == kInfinity && next[at] != kNoLink) {
        walk.push_back(static_cast<std::uint32_t>(at));
        at = topology_.links()[next[at]].to.index();
      }
      double so_far = cost[at];
      for (std::size_t i = walk.size(); i-- > 0;) {
        so_far += link_cost_[next[walk[i]]];
        cost[walk[i]] = so_far;
      }
      way_cost_[from * n + to] = cost[from];
    }
  }
}

void SegmentSearch::extend(const Layer& before, Layer& layer) const {
  const std::size_t n = topology_.node_count();
  std::fill(layer.arrived.begin(), layer.arrived.end(), kInfinity);
  for (std::size_t from = 0; from < n; ++from) {
    const double here = before.placed[from];
    if (here == kInfinity) continue;
    const double* way = way_cost_.data() + from * n;
    for (std::size_t to = 0; to < n; ++to) {
      const double there = here + way[to];
      const bool cheaper = there < layer.arrived[to];
      layer.arrived[to] = cheaper ? there : layer.arrived[to];
      layer.from[to] = cheaper ? static_cast<std::uint32_t>(from) : layer.from[to];
    }
  }
}

void SegmentSearch::cross(Layer& layer) const {
  layer.placed = layer.arrived;
  std::fill(layer.across.begin(), layer.across.end(), kNoLink);
  for (std::size_t l = 0; l < topology_.link_count(); ++l) {
    const Link& link = topology_.links()[l];
    if (!link.up) continue;
    const double there = layer.arrived[link.from.index()] + link_cost_[l];
    if (there >= layer.placed[link.to.index()]) continue;
    layer.placed[link.to.index()] = there;
    layer.across[link.to.index()] = static_cast<std::uint32_t>(l);
  }
}

void SegmentSearch::run(NodeId source) {
  source_ = source;
  Layer& first = layers_.front();
  std::fill(first.placed.begin(), first.placed.end(), kInfinity);
  for (const LinkId id : topology_.out_links(source)) {
    const std::size_t to = topology_.link(id).to.index();
    if (link_cost_[id.index()] >= first.placed[to]) continue;
    first.placed[to] = link_cost_[id.index()];
    first.across[to] = static_cast<std::uint32_t>(id.index());
  }
  for (std::size_t k = 1; k < layers_.size(); ++k) {
    extend(layers_[k - 1], layers_[k]);
    if (k + 1 < layers_.size()) cross(layers_[k]);
  }
}

std::size_t SegmentSearch::best_layer(NodeId to) const {
  std::size_t best = 1;
  for (std::size_t k = 2; k < layers_.size(); ++k) {
    if (layers_[k].arrived[to.index()] < layers_[best].arrived[to.index()]) best = k;
  }
  return best;
}

double SegmentSearch::cost(NodeId to) const { return layers_[best_layer(to)].arrived[to.index()]; }

std::vector<std::uint32_t> SegmentSearch::path_to(NodeId to) const {
  const std::size_t n = topology_.node_count();
  std::vector<std::uint32_t> backwards;
  std::vector<std::uint32_t> way;
  std::size_t at = to.index();
  for (std::size_t k = best_layer(to); k > 0; --k) {
    const std::size_t set_out = layers_[k].from[at];
    way.clear();
    for (std::size_t node = set_out; node != at; node = topology_.links()[way.back()].to.index()) {
      way.push_back(next_[at * n + node]);
    }
    backwards.insert(backwards.end(), way.rbegin(), way.rend());
    const std::uint32_t link = layers_[k - 1].across[set_out];
    at = set_out;
    if (link != kNoLink) {
      backwards.push_back(link);
      at = topology_.links()[link].from.index();
    }
  }
  // A node met twice: what lies between is left out. No list gets longer by that: parts of the IGP's one cheapest way
  // are such ways too.
  std::vector<std::uint32_t> path;
  std::vector<std::size_t> length_at(n, SIZE_MAX);
  length_at[source_.index()] = 0;
  for (std::size_t i = backwards.size(); i-- > 0;) {
    const std::size_t node = topology_.links()[backwards[i]].to.index();
    path.push_back(backwards[i]);
    if (const std::size_t kept = length_at[node]; kept != SIZE_MAX) {
      for (std::size_t p = kept; p < path.size(); ++p) length_at[topology_.links()[path[p]].to.index()] = SIZE_MAX;
      path.resize(kept);
    }
    length_at[node] = path.size();
  }
  return path;
}

}  // namespace wan::controller
