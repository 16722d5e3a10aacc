#include "controller/batch_tree_search.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/shortest_paths.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wan::controller {
namespace {

constexpr std::size_t kLanes = BatchTreeSearch::kLanes;
constexpr std::uint32_t kNoLink = ShortestPathTree::kNoLink;

/// What one run works on, as plain pointers for the kernels.
struct Labels {
  const std::uint32_t* first_arc;
  const TreeSearchGraph::Arc* arcs;
  const double* link_cost;
  double* cost;  // [node][lane]
};

/// Nodes whose labels are to be passed on, as bits in the order of a run.
struct Waiting {
  const std::uint32_t* position;  // by node
  std::uint64_t* bits;

  void add(std::uint32_t node, bool wanted) const {
    bits[position[node] / 64] |= std::uint64_t{wanted} << (position[node] % 64);
  }
};

void pass_on_plain(const Labels& labels, const Waiting& waiting, std::uint32_t node) {
  const double* from = labels.cost + node * kLanes;
  for (std::uint32_t a = labels.first_arc[node]; a < labels.first_arc[node + 1]; ++a) {
    const auto [to, link] = labels.arcs[a];
    double* held = labels.cost + to * kLanes;
    const double price = labels.link_cost[link];
    bool better = false;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double candidate = from[lane] + price;
      better |= candidate < held[lane];
      held[lane] = candidate < held[lane] ? candidate : held[lane];
    }
    waiting.add(to, better);
  }
}

/// Where a node's label led to a neighbour's, the link is the neighbour's parent; of several the one of lowest number.
void note_parents_plain(const Labels& labels, std::uint32_t node, std::uint32_t* parent_link) {
  const double* from = labels.cost + node * kLanes;
  for (std::uint32_t a = labels.first_arc[node]; a < labels.first_arc[node + 1]; ++a) {
    const auto [to, link] = labels.arcs[a];
    const double* held = labels.cost + to * kLanes;
    std::uint32_t* parent = parent_link + to * kLanes;
    const double price = labels.link_cost[link];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const bool leads = from[lane] + price == held[lane] && held[lane] < std::numeric_limits<double>::infinity();
      parent[lane] = leads && link < parent[lane] ? link : parent[lane];
    }
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] void pass_on_wide(const Labels& labels, const Waiting& waiting, std::uint32_t node) {
  const __m512d from = _mm512_loadu_pd(labels.cost + node * kLanes);
  const std::uint32_t end = labels.first_arc[node + 1];
  for (std::uint32_t a = labels.first_arc[node]; a < end; ++a) {
    const auto [to, link] = labels.arcs[a];
    double* place = labels.cost + to * kLanes;
    const __m512d held = _mm512_loadu_pd(place);
    const __m512d candidate = _mm512_add_pd(from, _mm512_set1_pd(labels.link_cost[link]));
    const __mmask8 better = _mm512_cmp_pd_mask(candidate, held, _CMP_LT_OQ);
    _mm512_mask_storeu_pd(place, better, candidate);
    waiting.add(to, better != 0);
  }
}

[[gnu::target("avx512f,avx512vl")]] void note_parents_wide(const Labels& labels, std::uint32_t node,
                                                           std::uint32_t* parent_link) {
  const __m512d from = _mm512_loadu_pd(labels.cost + node * kLanes);
  const __m512d infinite = _mm512_set1_pd(std::numeric_limits<double>::infinity());
  const std::uint32_t end = labels.first_arc[node + 1];
  for (std::uint32_t a = labels.first_arc[node]; a < end; ++a) {
    const auto [to, link] = labels.arcs[a];
    const __m512d held = _mm512_loadu_pd(labels.cost + to * kLanes);
    const __m512d candidate = _mm512_add_pd(from, _mm512_set1_pd(labels.link_cost[link]));
    const __mmask8 finite = _mm512_cmp_pd_mask(held, infinite, _CMP_LT_OQ);
    const __mmask8 leads = _mm512_mask_cmp_pd_mask(finite, candidate, held, _CMP_EQ_OQ);
    if (leads == 0) continue;
    auto* place = reinterpret_cast<__m256i*>(parent_link + to * kLanes);
    const __m256i parent = _mm256_loadu_si256(place);
    _mm256_storeu_si256(place, _mm256_mask_min_epu32(parent, leads, parent, _mm256_set1_epi32(static_cast<int>(link))));
  }
}

const bool kWide = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
constexpr bool kWide = false;
void pass_on_wide(const Labels& labels, const Waiting& waiting, std::uint32_t node) {
  pass_on_plain(labels, waiting, node);
}
void note_parents_wide(const Labels& labels, std::uint32_t node, std::uint32_t* parent_link) {
  note_parents_plain(labels, node, parent_link);
}
#endif

/// Passes labels on, in rounds along the order, until no node has a new one.
template <void (*PassOn)(const Labels&, const Waiting&, std::uint32_t)>
void settle(const Labels& labels, const Waiting& waiting, std::span<const std::uint32_t> order) {
  const std::size_t words = (order.size() + 63) / 64;
  for (bool any = true; any;) {
    any = false;
    for (std::size_t w = 0; w < words; ++w) {
      while (waiting.bits[w] != 0) {
        any = true;
        const auto bit = static_cast<std::size_t>(std::countr_zero(waiting.bits[w]));
        waiting.bits[w] &= waiting.bits[w] - 1;
        PassOn(labels, waiting, order[w * 64 + bit]);
      }
    }
  }
}

Labels labels_of(const TreeSearchGraph& graph, std::span<const double> link_cost, std::vector<double>& cost) {
  return {.first_arc = graph.first_arc.data(),
          .arcs = graph.arcs.data(),
          .link_cost = link_cost.data(),
          .cost = cost.data()};
}

}  // namespace

BatchTreeSearch::BatchTreeSearch(const TreeSearchGraph& graph)
    : graph_{&graph},
      nodes_{graph.first_arc.size() - 1},
      cost_(nodes_ * kLanes),
      sum_(nodes_),
      parent_link_(nodes_ * kLanes, kNoLink),
      position_(nodes_),
      waiting_((nodes_ + 63) / 64, 0) {}

void BatchTreeSearch::run(std::span<const std::uint32_t> sources, std::span<const double> link_cost,
                          std::vector<std::uint32_t>& order) {
  link_cost_ = link_cost;
  order_ = order;
  for (std::uint32_t p = 0; p < nodes_; ++p) position_[order_[p]] = p;
  std::fill(cost_.begin(), cost_.end(), std::numeric_limits<double>::infinity());
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::uint32_t source = sources[lane < sources.size() ? lane : 0];
    cost_[source * kLanes + lane] = 0.0;
    waiting_[position_[source] / 64] |= std::uint64_t{1} << (position_[source] % 64);
  }
  correct_labels();
  sort_order(order);
  order_ = order;
}

void BatchTreeSearch::correct_labels() {
  const auto settle_all = kWide ? settle<pass_on_wide> : settle<pass_on_plain>;
  settle_all(labels_of(*graph_, link_cost_, cost_), {.position = position_.data(), .bits = waiting_.data()}, order_);
}

/// Insertion sort: the order hardly changes from one run to the next.
void BatchTreeSearch::sort_order(std::vector<std::uint32_t>& order) {
  for (std::size_t node = 0; node < nodes_; ++node) {
    const double* lanes = cost_.data() + node * kLanes;
    sum_[node] = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  std::size_t shifts = 0;
  for (std::size_t i = 1; i < nodes_; ++i) {
    const std::uint32_t node = order[i];
    std::size_t at = i;
    for (; at > 0 && sum_[node] < sum_[order[at - 1]]; --at) order[at] = order[at - 1];
    order[at] = node;
    shifts += i - at;
    if (shifts > 16 * nodes_) {
      std::stable_sort(order.begin(), order.end(), [this](auto a, auto b) { return sum_[a] < sum_[b]; });
      return;
    }
  }
}

void BatchTreeSearch::find_parents() {
  std::fill(parent_link_.begin(), parent_link_.end(), kNoLink);
  const auto note_parents = kWide ? note_parents_wide : note_parents_plain;
  const Labels labels = labels_of(*graph_, link_cost_, cost_);
  for (std::uint32_t node = 0; node < nodes_; ++node) note_parents(labels, node, parent_link_.data());
}

void BatchTreeSearch::accumulate(std::span<double> by_node) {
  // Children before parents: the sorted order holds that for most nodes of most lanes. Where a parent had its turn
  // before its child, what the child still brings is passed up to the first node whose turn is yet to come.
  for (std::uint32_t p = 0; p < nodes_; ++p) position_[order_[p]] = p;
  for (std::size_t p = nodes_; p-- > 0;) {
    const std::uint32_t node = order_[p];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint32_t link = parent_link_[node * kLanes + lane];
      const double load = by_node[node * kLanes + lane];
      if (link == kNoLink || load == 0.0) continue;
      std::uint32_t up = graph_->link_from[link];
      by_node[up * kLanes + lane] += load;
      while (position_[up] > p) {
        const std::uint32_t next = parent_link_[up * kLanes + lane];
        if (next == kNoLink) break;
        up = graph_->link_from[next];
        by_node[up * kLanes + lane] += load;
      }
    }
  }
}

void floor_costs(std::span<double> link_cost, std::size_t node_count) {
  const double dearest = *std::max_element(link_cost.begin(), link_cost.end());
  const double least = std::max(std::ldexp(dearest * static_cast<double>(node_count), -51), 1e-290);
  for (double& cost : link_cost) cost = std::max(cost, least);
}

std::vector<std::vector<std::uint32_t>> source_blocks(const TreeSearchGraph& graph,
                                                      std::span<const std::uint32_t> sources) {
  const std::size_t nodes = graph.first_arc.size() - 1;
  std::vector<bool> wanted(nodes, false);
  for (const std::uint32_t source : sources) wanted[source] = true;
  std::vector<std::vector<std::uint32_t>> blocks;
  std::vector<std::uint32_t> queue;
  std::vector<std::uint32_t> seen(nodes, 0);
  for (const std::uint32_t first : sources) {
    if (!wanted[first]) continue;
    blocks.emplace_back();
    const auto round = static_cast<std::uint32_t>(blocks.size());
    queue.assign(1, first);
    seen[first] = round;
    for (std::size_t at = 0; at < queue.size() && blocks.back().size() < kLanes; ++at) {
      const std::uint32_t node = queue[at];
      if (wanted[node]) {
        wanted[node] = false;
        blocks.back().push_back(node);
      }
      for (std::uint32_t a = graph.first_arc[node]; a < graph.first_arc[node + 1]; ++a) {
        const std::uint32_t to = graph.arcs[a].to;
        if (seen[to] == round) continue;
        seen[to] = round;
        queue.push_back(to);
      }
    }
  }
  return blocks;
}

}  // namespace wan::controller
