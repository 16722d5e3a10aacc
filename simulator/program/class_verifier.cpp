#include "simulator/program/class_verifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "simulator/program/ruled_distance.h"

namespace wan::simulator {
namespace {

using controller::BrokenRule;
using controller::ClassPolicy;

constexpr double kTolerance = 1e-6;
constexpr double kOverfull = 1e-9;     // of what a link may carry: rounding
constexpr double kNegligible = 1e-9;   // of all links' room: a rate that says nothing of fairness
constexpr double kRounding = 1e-12;    // of all priced room: sums in another order
constexpr double kWhole = 1.0 - 1e-9;  // a fraction that counts as 1
constexpr std::uint32_t kNoRound = std::numeric_limits<std::uint32_t>::max();

std::string number(double value) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.9g", value);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

/// `a` is at most `b`, within the tolerance.
bool at_most(double a, double b) { return a <= b + kTolerance * std::max(std::abs(a), std::abs(b)) + 1e-12; }

class ClassVerifier {
 public:
  ClassVerifier(const Topology& topology, const TrafficMatrix& traffic, const controller::PolicySet& policies,
                const PathPlan& plan, const ClassProof& proof)
      : topology_{topology},
        traffic_{traffic},
        policies_{policies},
        plan_{plan},
        proof_{proof},
        distance_{topology},
        avoided_(traffic.class_count(), std::vector<bool>(topology.link_count(), false)),
        level_of_(traffic.class_count(), 0),
        fraction_(plan.demand_count(), 1.0),
        round_(plan.demand_count(), kNoRound),
        bound_to_path_(plan.demand_count(), false) {
    for (std::size_t c = 0; c < std::min(traffic.class_count(), policies.classes.size()); ++c) {
      for (const LinkId link : policies.classes[c].avoid) avoided_[c][link.index()] = true;
    }
  }

  Result<ClassVerification> run() {
    using Check = Result<void> (ClassVerifier::*)();
    for (const Check check :
         {&ClassVerifier::check_levels, &ClassVerifier::check_rules, &ClassVerifier::check_fractions,
          &ClassVerifier::check_loads, &ClassVerifier::check_level_proofs, &ClassVerifier::check_rounds}) {
      if (auto held = (this->*check)(); !held) return tl::unexpected{held.error()};
    }
    return found_;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(std::string sentence) const {
    return fail(ErrorCode::kBadInput, "plan refused: " + std::move(sentence));
  }
  [[nodiscard]] std::string name(const Demand& demand) const {
    return topology_.node(demand.from).name + ">" + topology_.node(demand.to).name + " of class " +
           class_name(demand.cls);
  }
  [[nodiscard]] std::string class_name(TrafficClass cls) const {
    const bool known = cls.index() < policies_.classes.size();
    return known ? policies_.classes[cls.index()].name : std::to_string(cls.index());
  }
  [[nodiscard]] double rate(const Demand& demand) const {
    if (demand.cls.index() >= traffic_.class_count()) return 0.0;
    return traffic_.at(demand.cls, demand.from, demand.to).bps();
  }
  [[nodiscard]] std::int64_t latest(TrafficClass cls) const {
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    if (cls.index() >= policies_.classes.size()) return kNever;
    const auto& latency_max = policies_.classes[cls.index()].latency_max;
    return latency_max ? latency_max->count() : kNever;
  }
  [[nodiscard]] std::int64_t delay_of(std::span<const LinkId> links) const {
    std::int64_t delay = 0;
    for (const LinkId link : links) delay += topology_.link(link).delay.count();
    return delay;
  }

  /// Priorities, highest first, and which classes have each.
  Result<void> check_levels() {
    std::map<int, std::vector<TrafficClass>, std::greater<>> classes_of;
    for (std::size_t c = 0; c < traffic_.class_count(); ++c) {
      classes_of[c < policies_.classes.size() ? policies_.classes[c].priority : 0].emplace_back(c);
    }
    bool same = proof_.levels.size() == classes_of.size();
    std::size_t k = 0;
    for (auto at = classes_of.begin(); same && at != classes_of.end(); ++at, ++k) {
      same = proof_.levels[k].priority == at->first && proof_.levels[k].classes == at->second;
      for (const TrafficClass cls : at->second) level_of_[cls.index()] = k;
    }
    if (!same) return refuse("its levels are not those of the policies' priorities");
    return {};
  }

  [[nodiscard]] const controller::Pin* pin_of(const Demand& demand) const {
    for (const controller::Pin& pin : policies_.pins) {
      const bool of_demand = pin.from == demand.from && pin.to == demand.to && (!pin.cls || *pin.cls == demand.cls);
      const bool up = std::all_of(pin.links.begin(), pin.links.end(), [&](LinkId l) { return topology_.link(l).up; });
      if (of_demand && up) return &pin;
    }
    return nullptr;
  }

  Result<void> check_rules() {
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const Demand& demand = plan_.demands()[d];
      if (demand.cls.index() >= traffic_.class_count()) return refuse(name(demand) + " is of no class of the policies");
      if (const controller::Pin* pin = pin_of(demand)) {
        bound_to_path_[d] = true;
        const auto links = plan_.path(d, 0).links;
        if (plan_.path_count(d) == 1 && std::equal(links.begin(), links.end(), pin->links.begin(), pin->links.end())) {
          continue;
        }
        return refuse(name(demand) + " is not on its pin");
      }
      if (auto held = check_rule(d); !held) return held;
    }
    return {};
  }

  /// A demand's paths against its class's latency bound and avoided links.
  Result<void> check_rule(std::size_t d) {
    const Demand& demand = plan_.demands()[d];
    const std::vector<bool>& avoided = avoided_[demand.cls.index()];
    bool crosses = false, late = false;
    for (std::size_t p = 0; p < plan_.path_count(d); ++p) {
      const auto links = plan_.path(d, p).links;
      crosses = crosses || std::any_of(links.begin(), links.end(), [&](LinkId l) { return avoided[l.index()]; });
      late = late || delay_of(links) > latest(demand.cls);
    }
    if (!crosses && !late) return {};
    const double least_clear = least_delay(demand, demand.cls.index());
    const bool clear = std::isfinite(least_clear);
    const std::string what = crosses ? "crosses a link that its class avoids" : "is over its class's latency bound";
    const double best = clear ? least_clear : least_delay(demand, traffic_.class_count());
    if (clear && (crosses || best <= static_cast<double>(latest(demand.cls)))) {
      return refuse(name(demand) + " " + what + ", though another path does not");
    }
    // Among ways of equal delay the planner takes the one with fewer hops, at a nanosecond a hop.
    const double least = best + static_cast<double>(topology_.node_count());
    if (plan_.path_count(d) != 1 || static_cast<double>(delay_of(plan_.path(d, 0).links)) > least) {
      return refuse(name(demand) + " " + what + " and does not take the one path of least delay");
    }
    bound_to_path_[d] = true;
    if (rate(demand) > 0.0) {
      found_.broken.push_back({demand, clear ? BrokenRule::What::kLatency : BrokenRule::What::kAvoidedLink});
    }
    return {};
  }

  /// Nanoseconds, without the links that a class avoids (none: the number of classes); infinite: no way.
  double least_delay(const Demand& demand, std::size_t cls) {
    auto& held = least_delay_[{cls, demand.from.index()}];
    if (held.empty()) {
      std::vector<double> delay;
      for (const Link& link : topology_.links()) delay.push_back(static_cast<double>(link.delay.count()));
      const std::vector<bool> none(topology_.link_count(), false);
      held = distance_.from(demand.from, delay, cls < avoided_.size() ? avoided_[cls] : none);
    }
    return held[demand.to.index()];
  }

  Result<void> check_fractions() {
    for (const ClassProof::Admitted& entry : proof_.admitted) {
      const auto at = plan_.find(entry.demand);
      if (!at) return refuse("it admits a part of " + name(entry.demand) + ", which it does not route");
      if (round_[*at] != kNoRound) return refuse("it admits a part of " + name(entry.demand) + " twice");
      const ClassProof::Round& round = proof_.rounds[entry.round];
      if (entry.demand.cls.index() >= traffic_.class_count() || level_of_[entry.demand.cls.index()] != round.level) {
        return refuse(name(entry.demand) + " stopped in a round of another level");
      }
      if (!(entry.fraction >= 0.0 && entry.fraction <= 1.0) ||
          std::abs(entry.fraction - round.fraction) > kOverfull * round.fraction) {
        return refuse(name(entry.demand) + " is admitted at " + number(entry.fraction) + ", its round is at " +
                      number(round.fraction));
      }
      fraction_[*at] = entry.fraction;
      round_[*at] = entry.round;
    }
    return {};
  }

  Result<void> check_loads() {
    const std::size_t levels = proof_.levels.size();
    load_.assign(levels, std::vector<double>(topology_.link_count(), 0.0));
    double offered = 0.0, carried = 0.0;
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const double bps = rate(plan_.demands()[d]);
      offered += bps;
      carried += bps * fraction_[d];
      found_.shed += bps > 0.0 && fraction_[d] < kWhole;
      for (std::size_t p = 0; p < plan_.path_count(d); ++p) {
        const WeightedPath path = plan_.path(d, p);
        for (const LinkId link : path.links) {
          load_[level_of_[plan_.demands()[d].cls.index()]][link.index()] += bps * fraction_[d] * path.fraction;
        }
      }
    }
    if (offered > 0.0) found_.carried_share = carried / offered;
    for (std::size_t k = 1; k < levels; ++k) {
      for (std::size_t l = 0; l < topology_.link_count(); ++l) load_[k][l] += load_[k - 1][l];
    }
    for (std::size_t k = 0; k < levels; ++k) {
      double highest = 0.0;
      for (std::size_t l = 0; l < topology_.link_count(); ++l) highest = std::max(highest, utilization(k, l));
      found_.levels.push_back({.utilization = highest, .lower_bound = 0.0});
    }
    found_.utilization = found_.levels.back().utilization;
    return {};
  }

  [[nodiscard]] double utilization(std::size_t level, std::size_t link) const {
    return load_[level][link] / topology_.links()[link].capacity.bps();
  }

  /// By demand of the plan with traffic: the cheapest way that it may take under prices by level.
  void price_demands(const std::vector<std::vector<double>>& price_of_level, std::vector<double>& cost) {
    cost.assign(plan_.demand_count(), 0.0);
    std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> held;  // class, source
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const Demand& demand = plan_.demands()[d];
      const std::size_t level = level_of_[demand.cls.index()];
      if (rate(demand) <= 0.0 || level >= price_of_level.size()) continue;
      const std::vector<double>& price = price_of_level[level];
      if (bound_to_path_[d]) {
        for (const LinkId link : plan_.path(d, 0).links) cost[d] += price[link.index()];
        continue;
      }
      auto& distance = held[{demand.cls.index(), demand.from.index()}];
      if (distance.empty()) {
        const std::vector<bool>& avoided = avoided_[demand.cls.index()];
        const std::int64_t late = latest(demand.cls);
        distance = late == std::numeric_limits<std::int64_t>::max()
                       ? distance_.from(demand.from, price, avoided)
                       : distance_.within(demand.from, price, avoided, late);
      }
      cost[d] = distance[demand.to.index()];
    }
  }

  static Result<void> check_prices(const std::vector<double>& prices) {
    if (std::all_of(prices.begin(), prices.end(), [](double p) { return std::isfinite(p) && p >= 0.0; })) return {};
    return fail(ErrorCode::kBadInput, "plan refused: a dual is negative or not finite");
  }
  [[nodiscard]] double worth(const std::vector<double>& prices) const {
    double sum = 0.0;
    for (std::size_t l = 0; l < prices.size(); ++l) {
      if (topology_.links()[l].up) sum += prices[l] * topology_.links()[l].capacity.bps();
    }
    return sum;
  }

  Result<void> check_level_proofs() {
    if (proof_.fair) return {};
    for (std::size_t k = 0; k < proof_.levels.size(); ++k) {
      const ClassProof::Level& level = proof_.levels[k];
      const std::string which = "level " + std::to_string(k + 1) + " (priority " + std::to_string(level.priority) + ")";
      const double reached = found_.levels[k].utilization;
      if (!at_most(level.utilization, reached) || !at_most(reached, level.utilization)) {
        return refuse(which + " claims utilization " + number(level.utilization) + ", its paths give " +
                      number(reached));
      }
      if (!at_most(reached, level.limit)) {
        return refuse(which + " is at " + number(reached) + ", above its limit " + number(level.limit));
      }
      const auto bound = level_bound(k);
      if (!bound) return tl::unexpected{bound.error()};
      if (!at_most(level.lower_bound, *bound)) {
        return refuse(which + " claims lower bound " + number(level.lower_bound) + ", its duals give " +
                      number(*bound));
      }
      found_.levels[k].lower_bound = *bound;
    }
    return {};
  }

  Result<double> level_bound(std::size_t k) {
    const std::vector<std::vector<double>>& duals = proof_.levels[k].duals;
    if (duals.size() != k + 1) return refuse("level " + std::to_string(k + 1) + " has duals for other levels");
    std::vector<std::vector<double>> price = duals;  // of level i: its own and those of all levels up to k
    double paid = 0.0;
    for (std::size_t i = k + 1; i-- > 0;) {
      if (auto sound = check_prices(duals[i]); !sound) return tl::unexpected{sound.error()};
      if (i < k) paid -= proof_.levels[i].limit * worth(duals[i]);
      for (std::size_t l = 0; i < k && l < price[i].size(); ++l) price[i][l] += price[i + 1][l];
    }
    const double budget = worth(duals[k]);
    if (budget <= 0.0) return 0.0;
    std::vector<double> cost;
    price_demands(price, cost);
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      if (cost[d] > 0.0) paid += rate(plan_.demands()[d]) * cost[d];
    }
    return std::max(0.0, paid / budget);
  }

  Result<void> check_rounds() {
    if (!proof_.fair) return {};
    if (!(proof_.utilization_max > 0.0)) return refuse("it may fill no part of the links");
    for (std::size_t l = 0; l < topology_.link_count(); ++l) {
      const double used = utilization(proof_.levels.size() - 1, l);
      if (used > proof_.utilization_max * (1.0 + kOverfull)) {
        return refuse("link " + topology_.links()[l].name + " carries " + number(used) + " of its capacity");
      }
    }
    double more = 0.0, offered = 0.0;
    for (std::size_t r = 0; r < proof_.rounds.size(); ++r) {
      const auto found = check_round(r);
      if (!found) return tl::unexpected{found.error()};
      more += *found;
    }
    for (const Demand& demand : plan_.demands()) offered += rate(demand);
    if (offered > 0.0) found_.carried_share_more = more / offered;
    if (found_.fair_within > proof_.within + kTolerance) {
      return refuse("it claims that no demand could have more by more than " + number(proof_.within) +
                    ", its duals say " + number(found_.fair_within));
    }
    return {};
  }

  /// What the round's prices leave those that stopped in it.
  /// @return  bits per second by which all of them together could have more
  Result<double> check_round(std::size_t r) {
    const ClassProof::Round& round = proof_.rounds[r];
    const std::string which = "round " + std::to_string(r + 1);
    if (auto sound = check_prices(round.duals); !sound) return tl::unexpected{sound.error()};
    if (!(round.fraction >= 0.0 && round.fraction <= 1.0)) return refuse(which + " has no fraction from 0 to 1");
    if (r > 0 && round.level < proof_.rounds[r - 1].level) return refuse(which + " is of a level already filled");
    if (r > 0 && round.level == proof_.rounds[r - 1].level && round.fraction < proof_.rounds[r - 1].fraction) {
      return refuse(which + " is below the one before");
    }
    std::vector<double> cost;
    price_demands(std::vector<std::vector<double>>(round.level + 1, round.duals), cost);
    double room = proof_.utilization_max * worth(round.duals);
    // A link that is over by rounding would hide as much room elsewhere, behind prices that mean nothing.
    const double overfull = std::max(0.0, found_.utilization / proof_.utilization_max - 1.0);
    const double rounding = (kRounding + overfull) * room;
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const Demand& demand = plan_.demands()[d];
      const std::size_t level = level_of_[demand.cls.index()];
      if (cost[d] <= 0.0 || level > round.level) continue;
      const bool settled = level < round.level || (round_[d] != kNoRound && round_[d] <= r);
      room -= (settled ? fraction_[d] : round.fraction) * rate(demand) * cost[d];
    }
    const std::vector<double> once(topology_.link_count(), 1.0);
    const double negligible_bps = kNegligible * proof_.utilization_max * worth(once);
    double more = 0.0;
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const double bps = rate(plan_.demands()[d]);
      if (round_[d] != r || bps <= 0.0) continue;
      double beyond_bps = (1.0 - fraction_[d]) * bps;
      if (cost[d] > 0.0) beyond_bps = std::min(beyond_bps, (std::max(0.0, room) + rounding) / cost[d]);
      if (beyond_bps > negligible_bps) found_.fair_within = std::max(found_.fair_within, beyond_bps / bps);
      more += beyond_bps;
    }
    return more;
  }

  const Topology& topology_;
  const TrafficMatrix& traffic_;
  const controller::PolicySet& policies_;
  const PathPlan& plan_;
  const ClassProof& proof_;
  RuledDistance distance_;
  std::vector<std::vector<bool>> avoided_;  // [class][link]
  std::vector<std::size_t> level_of_;       // by class
  std::vector<double> fraction_;            // by demand of the plan
  std::vector<std::uint32_t> round_;        // by demand of the plan
  std::vector<bool> bound_to_path_;         // by demand of the plan: pinned, or no path follows the rule
  std::vector<std::vector<double>> load_;   // [level][link]: of this level and those above
  std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> least_delay_;  // class, source
  ClassVerification found_;
};

}  // namespace

Result<ClassVerification> verify_classes(const Topology& topology, const TrafficMatrix& traffic,
                                         const controller::PolicySet& policies, const PathPlan& plan,
                                         const ClassProof& proof) {
  return ClassVerifier{topology, traffic, policies, plan, proof}.run();
}

}  // namespace wan::simulator
