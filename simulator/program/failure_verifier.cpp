#include "simulator/program/failure_verifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "simulator/program/plan_verifier.h"

namespace wan::simulator {
namespace {

using controller::FailureKind;

constexpr double kTolerance = 1e-9;

std::string number(double value) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.12g", value);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

class FailureVerifier {
 public:
  FailureVerifier(const Topology& topology, const TrafficMatrix& traffic, const PathPlan& base,
                  const FailureClaim& claim)
      : topology_{topology},
        traffic_{traffic},
        base_{base},
        claim_{claim},
        works_(topology.link_count()),
        met_(topology.node_count(), 0) {
    for (std::size_t l = 0; l < works_.size(); ++l) works_[l] = topology.links()[l].up;
  }

  Result<void> run() {
    using Check = Result<void> (FailureVerifier::*)();
    for (const Check check :
         {&FailureVerifier::check_failure, &FailureVerifier::check_lost, &FailureVerifier::check_new_plan,
          &FailureVerifier::check_backups, &FailureVerifier::check_rescaled}) {
      if (auto held = (this->*check)(); !held) return held;
    }
    return {};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(const std::string& sentence) const {
    return fail(ErrorCode::kBadInput, "failure " + claim_.failure.name + ": " + sentence);
  }
  [[nodiscard]] std::string name(const Demand& demand) const {
    std::string text = topology_.node(demand.from).name + ">" + topology_.node(demand.to).name;
    if (traffic_.class_count() > 1) text += " of class " + std::to_string(demand.cls.index());
    return text;
  }
  [[nodiscard]] double rate(const Demand& demand) const {
    const bool known = demand.cls.index() < traffic_.class_count();
    return known ? traffic_.at(demand.cls, demand.from, demand.to).bps() : 0.0;
  }

  /// The links that go down are those that belong together, each named once.
  Result<void> check_failure() {
    const auto& down = claim_.failure.down;
    if (down.empty()) return refuse("no link fails");
    for (std::size_t i = 0; i < down.size(); ++i) {
      if (down[i].index() >= works_.size()) return refuse("a link fails that does not exist");
      const Link& link = topology_.link(down[i]);
      if (i > 0 && !(down[i - 1] < down[i])) return refuse("the failed links are repeated or out of order");
      if (!link.up) return refuse("link " + link.name + " was down before");
      works_[down[i].index()] = false;
    }
    if (!belong_together())
      return refuse("the failed links are not those of one " + std::string{controller::to_string(claim_.failure.kind)});
    return {};
  }

  [[nodiscard]] bool belong_together() const {
    const auto& down = claim_.failure.down;
    if (claim_.failure.kind == FailureKind::kNode) {
      const auto node = topology_.find_node(claim_.failure.name);
      if (!node) return false;
      const auto attached = static_cast<std::size_t>(
          std::count_if(topology_.links().begin(), topology_.links().end(),
                        [&](const Link& link) { return link.up && (link.from == *node || link.to == *node); }));
      return attached == down.size() && std::all_of(down.begin(), down.end(), [&](LinkId id) {
               return topology_.link(id).from == *node || topology_.link(id).to == *node;
             });
    }
    if (claim_.failure.kind == FailureKind::kSrlg) return is_a_group();
    if (down.size() == 1) {
      // Alone only where the other direction has fewer links: some of this one are without partner.
      const Link& link = topology_.link(down[0]);
      return topology_.links_between(link.to, link.from).size() < topology_.links_between(link.from, link.to).size();
    }
    const Link& there = topology_.link(down[0]);
    const Link& back = topology_.link(down.back());
    return down.size() == 2 && there.from == back.to && there.to == back.from;
  }

  /// Some group has only links that fail, and each link that fails is in it or the other direction of one that is.
  [[nodiscard]] bool is_a_group() const {
    const auto& down = claim_.failure.down;
    const auto groups = topology_.link(down[0]).srlgs;
    std::set<SrlgId> candidates(groups.begin(), groups.end());
    for (const LinkId id : down) candidates.insert(topology_.link(id).srlgs.begin(), topology_.link(id).srlgs.end());
    return std::any_of(candidates.begin(), candidates.end(), [&](SrlgId group) {
      const auto in_group = [&](const Link& link) {
        return std::find(link.srlgs.begin(), link.srlgs.end(), group) != link.srlgs.end();
      };
      const bool all_fail = std::none_of(topology_.links().begin(), topology_.links().end(), [&](const Link& link) {
        return link.up && in_group(link) && works_[static_cast<std::size_t>(&link - topology_.links().data())];
      });
      return all_fail && std::all_of(down.begin(), down.end(), [&](LinkId id) {
               const Link& link = topology_.link(id);
               const auto back = topology_.links_between(link.to, link.from);
               return in_group(link) || std::any_of(back.begin(), back.end(),
                                                    [&](LinkId other) { return in_group(topology_.link(other)); });
             });
    });
  }

  [[nodiscard]] const std::vector<bool>& reachable_from(NodeId source) {
    if (reached_.empty()) reached_.resize(topology_.node_count());
    auto& reached = reached_[source.index()];
    if (!reached.empty()) return reached;
    reached.assign(topology_.node_count(), false);
    std::vector<std::size_t> frontier{source.index()};
    reached[source.index()] = true;
    while (!frontier.empty()) {
      const std::size_t node = frontier.back();
      frontier.pop_back();
      for (const LinkId id : topology_.out_links(NodeId{node})) {
        const std::size_t next = topology_.link(id).to.index();
        if (!works_[id.index()] || reached[next]) continue;
        reached[next] = true;
        frontier.push_back(next);
      }
    }
    return reached;
  }

  Result<void> check_lost() {
    std::vector<Demand> cut_off;
    const std::size_t n = topology_.node_count();
    for (std::size_t e = 0; e < traffic_.bps().size(); ++e) {
      if (traffic_.bps()[e] <= 0.0) continue;
      const Demand demand{TrafficClass{e / (n * n)}, NodeId{e / n % n}, NodeId{e % n}};
      if (!reachable_from(demand.from)[demand.to.index()]) cut_off.push_back(demand);
    }
    if (cut_off == claim_.lost) return {};
    const auto only_in = [](const std::vector<Demand>& some, const std::vector<Demand>& others) {
      return std::find_if(some.begin(), some.end(), [&](const Demand& demand) {
        return std::find(others.begin(), others.end(), demand) == others.end();
      });
    };
    if (const auto wrong = only_in(claim_.lost, cut_off); wrong != claim_.lost.end()) {
      return refuse(name(*wrong) + " is said to be lost, but is no demand that was cut off");
    }
    if (const auto missing = only_in(cut_off, claim_.lost); missing != cut_off.end()) {
      return refuse(name(*missing) + " is cut off, but not said to be lost");
    }
    return refuse("the lost demands are repeated or out of order");
  }

  Result<void> check_new_plan() {
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < works_.size(); ++l) {
      if (!works_[l]) down.push_back(LinkId{l});
    }
    const auto held = verify_plan(topology_.with_links_down(down), traffic_, claim_.replanned);
    if (!held) return refuse(held.error().message);
    if (claim_.replanned.unrouted != claim_.lost)
      return refuse("its new plan leaves out other demands than those lost");
    return {};
  }

  /// What is wrong with a demand's split; adds its load.
  std::optional<std::string> split_fault(const PathPlan& plan, std::size_t d, std::vector<double>& load) {
    const Demand& demand = plan.demands()[d];
    double sum = 0.0;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      if (!std::isfinite(fraction) || fraction <= 0.0) return "has a fraction that is not above zero";
      sum += fraction;
      NodeId at = demand.from;
      met_[at.index()] = ++stamp_;
      for (const LinkId id : links) {
        if (id.index() >= works_.size()) return "takes a link that does not exist";
        const Link& link = topology_.link(id);
        if (!works_[id.index()]) return "takes link " + link.name + ", which is down";
        if (link.from != at) return "takes link " + link.name + " from where it is not";
        at = link.to;
        if (std::exchange(met_[at.index()], stamp_) == stamp_) return "meets a node twice";
        load[id.index()] += fraction * rate(demand);
      }
      if (at != demand.to) return "ends before its destination";
    }
    if (!(std::abs(sum - 1.0) <= kTolerance)) return "is split into " + number(sum) + ", not 1";
    return std::nullopt;
  }

  [[nodiscard]] bool crosses(std::size_t d) const {
    for (std::size_t p = 0; p < base_.path_count(d); ++p) {
      for (const LinkId id : base_.path(d, p).links) {
        if (!works_[id.index()]) return true;
      }
    }
    return false;
  }

  Result<void> check_backups() {
    const PathPlan& backups = claim_.backups;
    std::vector<double> load(topology_.link_count(), 0.0);
    std::size_t next = 0;
    for (std::size_t d = 0; d < base_.demand_count(); ++d) {
      const Demand& demand = base_.demands()[d];
      const bool named = next < backups.demand_count() && backups.demands()[next] == demand;
      const bool wanted = crosses(d) && reachable_from(demand.from)[demand.to.index()];
      if (named && !wanted) return refuse(name(demand) + " has a backup, but needs none or has no way");
      if (wanted && !named) return refuse(name(demand) + " crosses what failed and has no backup");
      if (!wanted && crosses(d)) continue;
      const auto fault = named ? split_fault(backups, next, load) : split_fault(base_, d, load);
      if (fault) return refuse((named ? "the backup of " : "") + name(demand) + " " + *fault);
      next += named;
    }
    if (next != backups.demand_count()) return refuse("there are backups of demands that the base plan does not route");
    return check_utilization("the backups", load, claim_.protected_utilization);
  }

  Result<void> check_rescaled() {
    const PathPlan& plan = claim_.rescaled;
    std::vector<double> load(topology_.link_count(), 0.0);
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      if (const auto fault = split_fault(plan, d, load)) {
        return refuse("rescaled " + name(plan.demands()[d]) + " " + *fault);
      }
    }
    std::size_t expected = 0;
    for (const Demand& demand : base_.demands()) expected += reachable_from(demand.from)[demand.to.index()];
    if (plan.demand_count() != expected)
      return refuse("the rescaled plan routes fewer or more demands than have a way");
    return check_utilization("the rescaled plan", load, claim_.rescaled_utilization);
  }

  Result<void> check_utilization(const std::string& of, const std::vector<double>& load, double claimed) const {
    double highest = 0.0;
    for (std::size_t l = 0; l < load.size(); ++l) {
      highest = std::max(highest, load[l] / topology_.links()[l].capacity.bps());
    }
    if (std::abs(highest - claimed) <= kTolerance * std::max(highest, std::abs(claimed))) return {};
    return refuse("with " + of + " the largest utilisation is said to be " + number(claimed) + ", but is " +
                  number(highest));
  }

  const Topology& topology_;
  const TrafficMatrix& traffic_;
  const PathPlan& base_;
  const FailureClaim& claim_;
  std::vector<bool> works_;                 // by link, after the failure
  std::vector<std::vector<bool>> reached_;  // by source, once asked for
  std::vector<std::size_t> met_;            // by node: the last path that met it
  std::size_t stamp_ = 0;
};

}  // namespace

Result<void> verify_failure(const Topology& topology, const TrafficMatrix& traffic, const PathPlan& base,
                            const FailureClaim& claim) {
  return FailureVerifier{topology, traffic, base, claim}.run();
}

}  // namespace wan::simulator
