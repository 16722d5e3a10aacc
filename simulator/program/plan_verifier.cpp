#include "simulator/program/plan_verifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/program/segment_walk.h"

namespace wan::simulator {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTolerance = 1e-9;

std::string number(double value) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.12g", value);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

/// Equal within the tolerance, relative to the larger; false for what is not finite.
bool agree(double a, double b) {
  return std::isfinite(a) && std::isfinite(b) && std::abs(a - b) <= kTolerance * std::max(std::abs(a), std::abs(b));
}

class Verifier {
 public:
  Verifier(const Topology& topology, const TrafficMatrix& traffic, const io::PlanFile& claimed)
      : topology_{topology},
        traffic_{traffic},
        claimed_{claimed},
        leaving_(topology.node_count()),
        load_bps_(topology.link_count(), 0.0),
        routed_(traffic.bps().size(), false) {
    for (std::uint32_t l = 0; l < topology.link_count(); ++l) {
      const Link& link = topology.links()[l];
      if (link.up) leaving_[link.from.index()].push_back({.link = l, .to = link.to.index()});
    }
  }

  Result<Verification> run() {
    using Check = Result<void> (Verifier::*)();
    for (const Check check : {&Verifier::check_network, &Verifier::check_routes, &Verifier::check_limits,
                              &Verifier::check_unrouted, &Verifier::check_utilization, &Verifier::check_lower_bound}) {
      if (auto held = (this->*check)(); !held) return tl::unexpected{held.error()};
    }
    found_.demands = claimed_.plan.demand_count();
    found_.paths = claimed_.plan.path_count();
    found_.unrouted = claimed_.unrouted.size();
    found_.gap = found_.lower_bound > 0.0   ? (found_.utilization - found_.lower_bound) / found_.lower_bound
                 : found_.utilization > 0.0 ? kInfinity
                                            : 0.0;
    return found_;
  }

 private:
  struct Hop {
    std::uint32_t link;
    std::size_t to;
  };

  [[nodiscard]] tl::unexpected<Error> refuse(std::string sentence) const {
    return fail(ErrorCode::kBadInput, "plan refused: " + std::move(sentence));
  }

  [[nodiscard]] std::string name(const Demand& demand) const {
    std::string text = topology_.node(demand.from).name + ">" + topology_.node(demand.to).name;
    if (traffic_.class_count() > 1) text += " of class " + std::to_string(demand.cls.index());
    return text;
  }

  [[nodiscard]] bool known(const Demand& demand) const {
    return demand.from.index() < topology_.node_count() && demand.to.index() < topology_.node_count();
  }

  [[nodiscard]] std::size_t entry(const Demand& demand) const {
    const std::size_t n = topology_.node_count();
    return (demand.cls.index() * n + demand.from.index()) * n + demand.to.index();
  }

  Result<void> check_network() {
    if (traffic_.node_count() != topology_.node_count()) {
      return fail(ErrorCode::kShapeMismatch, "the traffic is of " + std::to_string(traffic_.node_count()) +
                                                 " nodes, the topology of " + std::to_string(topology_.node_count()));
    }
    const std::string digest = topology_.digest();
    if (claimed_.topology_digest != digest) {
      return fail(ErrorCode::kShapeMismatch,
                  "plan refused: it was made for topology " + claimed_.topology_digest + ", this one is " + digest);
    }
    for (const double bps : traffic_.bps()) {
      if (!std::isfinite(bps) || bps < 0.0) return fail(ErrorCode::kBadInput, "a demand is negative or not finite");
    }
    return {};
  }

  /// Every demand of the plan has sound paths; sums their loads on the way.
  Result<void> check_routes() {
    const PathPlan& plan = claimed_.plan;
    std::vector<std::size_t> met(topology_.node_count(), 0);  // number of the last path that met the node
    std::size_t path_number = 0;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      const Demand& demand = plan.demands()[d];
      if (!known(demand)) return refuse("it routes between nodes that the topology does not have");
      if (demand.from == demand.to) return refuse(name(demand) + " leads from a node to itself");
      if (d > 0 && !(plan.demands()[d - 1] < demand)) return refuse(name(demand) + " is repeated or out of order");
      const bool has_traffic = demand.cls.index() < traffic_.class_count();
      const double bps = has_traffic ? traffic_.bps()[entry(demand)] : 0.0;
      double sum = 0.0;
      for (std::size_t p = 0; p < plan.path_count(d); ++p) {
        const WeightedPath path = plan.path(d, p);
        if (const auto fault = path_fault(demand, path, met, ++path_number); !fault.empty()) {
          return refuse(name(demand) + " path " + std::to_string(p + 1) + " " + fault);
        }
        sum += path.fraction;
        for (const LinkId id : path.links) load_bps_[id.index()] += bps * path.fraction;
      }
      if (!(std::abs(sum - 1.0) <= kTolerance))
        return refuse(name(demand) + " is split into " + number(sum) + ", not 1");
      if (has_traffic) routed_[entry(demand)] = true;
    }
    return {};
  }

  /// What is wrong with one path; empty if nothing is.
  std::string path_fault(const Demand& demand, const WeightedPath& path, std::vector<std::size_t>& met,
                         std::size_t path_number) const {
    if (!std::isfinite(path.fraction) || path.fraction <= 0.0) return "has fraction " + number(path.fraction);
    NodeId at = demand.from;
    met[at.index()] = path_number;
    for (const LinkId id : path.links) {
      if (id.index() >= topology_.link_count()) return "uses a link that does not exist";
      const Link& link = topology_.link(id);
      if (!link.up) return "uses link " + link.name + ", which is down";
      if (link.from != at) return "jumps to link " + link.name;
      at = link.to;
      if (met[at.index()] == path_number) return "meets node " + topology_.node(at).name + " twice";
      met[at.index()] = path_number;
    }
    if (at != demand.to) return "ends at " + topology_.node(at).name;
    return {};
  }

  /// No more paths and segments than promised; segment lists that lead along exactly the links of their paths.
  Result<void> check_limits() {
    const PathPlan& plan = claimed_.plan;
    const auto& [paths_max, sid_depth] = claimed_.limits;
    const SegmentLists& lists = claimed_.segments;
    if (sid_depth && lists.empty() && plan.path_count() > 0)
      return refuse("it claims a SID depth, but has no segments");
    if (!lists.empty() && lists.size() != plan.path_count()) return refuse("some of its paths have no segments");
    SegmentWalk walk{topology_};
    std::size_t path = 0;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      const std::size_t count = plan.path_count(d);
      found_.paths_most = std::max(found_.paths_most, count);
      if (paths_max && count > *paths_max) {
        return refuse(name(plan.demands()[d]) + " has " + std::to_string(count) + " paths, it claims at most " +
                      std::to_string(*paths_max));
      }
      for (std::size_t p = 0; p < count && !lists.empty(); ++p) {
        const auto list = lists.list(path++);
        found_.segments_most = std::max(found_.segments_most, list.size());
        std::string fault = walk.fault(plan.path(d, p).links, list);
        if (sid_depth && list.size() > *sid_depth) {
          fault = "has " + std::to_string(list.size()) + " segments, it claims at most " + std::to_string(*sid_depth);
        }
        if (!fault.empty()) return refuse(name(plan.demands()[d]) + " path " + std::to_string(p + 1) + " " + fault);
      }
    }
    return {};
  }

  /// Demands are left out if and only if they are listed, and listed only if no way exists.
  Result<void> check_unrouted() {
    std::vector<bool> listed(traffic_.bps().size(), false);
    std::vector<std::vector<bool>> reached(topology_.node_count());  // by source, once it is asked for
    for (const Demand& demand : claimed_.unrouted) {
      if (!known(demand)) return refuse("it lists an unrouted demand of a node that the topology does not have");
      if (demand.cls.index() >= traffic_.class_count() || traffic_.bps()[entry(demand)] == 0.0) {
        return refuse(name(demand) + " is listed as unrouted, but there is no such demand");
      }
      if (listed[entry(demand)]) return refuse(name(demand) + " is listed as unrouted twice");
      if (routed_[entry(demand)]) return refuse(name(demand) + " is listed as unrouted, but the plan routes it");
      auto& from_here = reached[demand.from.index()];
      if (from_here.empty()) from_here = reachable_from(demand.from.index());
      if (from_here[demand.to.index()])
        return refuse(name(demand) + " is listed as unrouted, but its ends are connected");
      listed[entry(demand)] = true;
    }
    const std::size_t n = topology_.node_count();
    for (std::size_t e = 0; e < listed.size(); ++e) {
      if (traffic_.bps()[e] == 0.0 || routed_[e] || listed[e]) continue;
      const Demand demand{TrafficClass{e / (n * n)}, NodeId{e / n % n}, NodeId{e % n}};
      return refuse(name(demand) + " has traffic, but is neither routed nor listed as unrouted");
    }
    return {};
  }

  [[nodiscard]] std::vector<bool> reachable_from(std::size_t source) const {
    std::vector<bool> reached(topology_.node_count(), false);
    std::vector<std::size_t> frontier{source};
    reached[source] = true;
    while (!frontier.empty()) {
      const std::size_t node = frontier.back();
      frontier.pop_back();
      for (const Hop& hop : leaving_[node]) {
        if (reached[hop.to]) continue;
        reached[hop.to] = true;
        frontier.push_back(hop.to);
      }
    }
    return reached;
  }

  Result<void> check_utilization() {
    std::string_view busiest = "no link";
    for (std::size_t l = 0; l < load_bps_.size(); ++l) {
      const double utilization = load_bps_[l] / topology_.links()[l].capacity.bps();
      if (utilization > found_.utilization) {
        found_.utilization = utilization;
        busiest = topology_.links()[l].name;
      }
    }
    const double claimed = claimed_.certificate.utilization;
    if (!agree(claimed, found_.utilization)) {
      return refuse("it claims utilization " + number(claimed) + ", its paths give " + number(found_.utilization) +
                    " on " + std::string{busiest});
    }
    return {};
  }

  Result<void> check_lower_bound() {
    const std::vector<double>& prices = claimed_.certificate.duals;
    if (prices.size() != topology_.link_count()) {
      return refuse("it has " + std::to_string(prices.size()) + " duals for " + std::to_string(topology_.link_count()) +
                    " links");
    }
    double highest = 0.0;
    for (std::size_t l = 0; l < prices.size(); ++l) {
      if (!std::isfinite(prices[l]) || prices[l] < 0.0) {
        return refuse("the dual of link " + topology_.links()[l].name + " is " + number(prices[l]));
      }
      if (topology_.links()[l].up) highest = std::max(highest, prices[l]);
    }
    const bool any_traffic = std::any_of(load_bps_.begin(), load_bps_.end(), [](double bps) { return bps > 0.0; });
    if (any_traffic && highest == 0.0) return refuse("there is traffic, but all its duals are zero");
    if (any_traffic) found_.lower_bound = bound_of(scaled(prices, highest));

    const double claimed = claimed_.certificate.lower_bound;
    if (!agree(claimed, found_.lower_bound)) {
      return refuse("it claims lower bound " + number(claimed) + ", its duals give " + number(found_.lower_bound));
    }
    if (!(found_.lower_bound <= found_.utilization * (1.0 + kTolerance))) {
      return refuse("its lower bound " + number(found_.lower_bound) + " exceeds its utilization " +
                    number(found_.utilization));
    }
    return {};
  }

  /// The bound does not change with the prices' scale; with the highest at 1 no sum over- or underflows.
  static std::vector<double> scaled(const std::vector<double>& prices, double highest) {
    std::vector<double> result;
    result.reserve(prices.size());
    for (const double price : prices) result.push_back(price / highest);
    return result;
  }

  [[nodiscard]] double bound_of(const std::vector<double>& prices) const {
    const std::size_t n = topology_.node_count();
    double paid = 0.0, worth = 0.0;
    for (std::size_t from = 0; from < n; ++from) {
      bool sends = false;
      for (std::size_t cls = 0; cls < traffic_.class_count() && !sends; ++cls) {
        const auto row = traffic_.bps().subspan((cls * n + from) * n, n);
        sends = std::any_of(row.begin(), row.end(), [](double bps) { return bps > 0.0; });
      }
      if (!sends) continue;
      const std::vector<double> distance = distances_from(from, prices);
      for (std::size_t cls = 0; cls < traffic_.class_count(); ++cls) {
        for (std::size_t to = 0; to < n; ++to) {
          const std::size_t e = (cls * n + from) * n + to;
          if (routed_[e]) paid += traffic_.bps()[e] * distance[to];
        }
      }
    }
    for (std::size_t l = 0; l < prices.size(); ++l) {
      const Link& link = topology_.links()[l];
      if (link.up) worth += prices[l] * link.capacity.bps();
    }
    return paid / worth;
  }

  [[nodiscard]] std::vector<double> distances_from(std::size_t source, const std::vector<double>& prices) const {
    using Entry = std::pair<double, std::size_t>;
    std::vector<double> distance(topology_.node_count(), kInfinity);
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
    distance[source] = 0.0;
    open.emplace(0.0, source);
    while (!open.empty()) {
      const auto [so_far, node] = open.top();
      open.pop();
      if (so_far > distance[node]) continue;
      for (const Hop& hop : leaving_[node]) {
        const double candidate = so_far + prices[hop.link];
        if (candidate >= distance[hop.to]) continue;
        distance[hop.to] = candidate;
        open.emplace(candidate, hop.to);
      }
    }
    return distance;
  }

  const Topology& topology_;
  const TrafficMatrix& traffic_;
  const io::PlanFile& claimed_;
  std::vector<std::vector<Hop>> leaving_;  // by node, over links that are up
  std::vector<double> load_bps_;           // by link
  std::vector<bool> routed_;               // by entry of the traffic matrix
  Verification found_;
};

}  // namespace

Result<Verification> verify_plan(const Topology& topology, const TrafficMatrix& traffic, const io::PlanFile& claimed) {
  return Verifier{topology, traffic, claimed}.run();
}

}  // namespace wan::simulator
