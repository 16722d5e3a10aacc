// Plans of few paths by class priority: against linear programs over every path, against every choice of paths where
// that can be tried, and against the verifier of the program.

#include "controller/few_class_paths.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

#include "controller/segment_lists.h"
#include "core/random.h"
#include "simulator/program/class_verifier.h"
#include "simulator/program/plan_verifier.h"
#include "tests/property/class_wishes.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using test::ClassWishes;
using Links = std::vector<LinkId>;

constexpr double kGap = 1e-3;

Result<FewClassRoutes> few_of(const ClassWishes& wishes, const FewPathsOptions& options) {
  auto routes = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = 0.7 * options.gap});
  return reduce_class_paths(wishes.topology, wishes.traffic, wishes.policies, *std::move(routes), options);
}

/// Every demand at most `paths_max` paths that its rule allows; broken rules as the all-paths plan has them.
void check_paths(const ClassWishes& wishes, const FewClassRoutes& few, std::size_t paths_max) {
  const PathPlan& plan = few.routes.plan;
  REQUIRE(plan.check(wishes.topology));
  CHECK(test::worst_split_error(plan) < 1e-9);
  CHECK(test::covers_connected_pairs(wishes.topology, plan, wishes.class_count));
  CHECK(most_paths(plan) <= paths_max);
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const auto allowed = test::allowed_paths(wishes, plan.demands()[d]);
    if (allowed.broken) {
      CHECK(plan.path_count(d) == 1);
      continue;
    }
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto links = plan.path(d, p).links;
      REQUIRE(std::find(allowed.paths.begin(), allowed.paths.end(), Links(links.begin(), links.end())) !=
              allowed.paths.end());
    }
  }
}

/// Limits that hold, and bounds that no plan of any number of paths under these limits can be below.
void check_levels(const ClassWishes& wishes, const FewClassRoutes& few) {
  const auto named = test::commodities_of(wishes);
  const auto reached =
      level_utilizations(wishes.topology, few.routes.plan, wishes.traffic,
                         level_of_class(wishes.levels(), wishes.class_count), few.routes.levels.size());
  std::vector<double> limits;
  for (std::size_t k = 0; k < few.routes.levels.size(); ++k) {
    const LevelCertificate& level = few.routes.levels[k];
    const double best = test::best_level_utilization(wishes.topology, named.commodities, k, limits);
    CAPTURE(k, best, level.utilization, level.lower_bound, level.limit);
    CHECK(level.utilization == reached[k]);
    CHECK(level.lower_bound <= best * (1.0 + 1e-7) + 1e-12);
    CHECK(level.utilization >= best * (1.0 - 1e-6));
    CHECK(level.utilization <= level.limit * (1.0 + 1e-8));
    limits.push_back(level.limit);
  }
}

simulator::ClassProof proof_of(const FewClassRoutes& few) { return simulator::class_proof(few.routes, kGap); }

io::PlanFile file_of(const ClassWishes& wishes, const FewClassRoutes& few, const FewPathsOptions& options) {
  return {.topology_digest = wishes.topology.digest(),
          .plan = few.routes.plan,
          .certificate = few.routes.certificate,
          .unrouted = few.routes.unrouted,
          .limits = {.paths_max = options.paths_max, .sid_depth = options.sid_depth},
          .segments = few.segments};
}

/// Only demands of a few pairs: what every choice of paths can be tried for.
void keep_demands(ClassWishes& wishes, Rng& rng, std::size_t count) {
  const std::size_t n = wishes.topology.node_count();
  std::fill(wishes.traffic.bps().begin(), wishes.traffic.bps().end(), 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = rng.below(n);
    const NodeId to{(from + 1 + rng.below(n - 1)) % n};
    wishes.traffic.set(TrafficClass{i % wishes.class_count}, NodeId{from}, to, BitRate::mbps(0.5 + rng.exponential()));
  }
}

std::size_t segments_of(const Topology& topology, IgpTable& igp, const Links& path, std::size_t depth) {
  return path_segments(igp, topology, path, depth).value().size();
}

/// The lowest utilisation of each level among all choices of `paths_max` paths a demand, given what a plan left the
/// levels above.
class EveryChoice {
 public:
  EveryChoice(const ClassWishes& wishes, const FewPathsOptions& options)
      : topology_{wishes.topology}, paths_max_{options.paths_max}, all_{test::commodities_of(wishes).commodities} {
    IgpTable igp{topology_};
    for (auto& commodity : all_) {
      std::erase_if(commodity.paths, [&](const Links& path) {
        return options.sid_depth && segments_of(topology_, igp, path, *options.sid_depth) > *options.sid_depth;
      });
      choices_ *= ways(commodity.paths.size());
    }
  }
  [[nodiscard]] double choices() const { return choices_; }
  [[nodiscard]] double best(std::size_t level, const std::vector<double>& limits) {
    level_ = level;
    limits_ = limits;
    best_ = std::numeric_limits<double>::infinity();
    chosen_ = all_;
    for (auto& commodity : chosen_) commodity.paths.clear();
    choose(0, 0);
    return best_;
  }

 private:
  [[nodiscard]] double ways(std::size_t paths) const {
    double count = 1.0;
    for (std::size_t i = 0; i < std::min(paths_max_, paths); ++i) {
      count *= static_cast<double>(paths - i) / static_cast<double>(i + 1);
    }
    return count;
  }
  void choose(std::size_t d, std::size_t from) {
    if (d == all_.size()) {
      try {
        best_ = std::min(best_, test::best_level_utilization(topology_, chosen_, level_, limits_));
      } catch (const std::runtime_error&) {  // these paths cannot keep the limits above
      }
      return;
    }
    if (chosen_[d].paths.size() == std::min(paths_max_, all_[d].paths.size())) return choose(d + 1, 0);
    for (std::size_t p = from; p < all_[d].paths.size(); ++p) {
      chosen_[d].paths.push_back(all_[d].paths[p]);
      choose(d, p + 1);
      chosen_[d].paths.pop_back();
    }
  }

  const Topology& topology_;
  std::size_t paths_max_;
  std::vector<test::LevelCommodity> all_, chosen_;
  std::vector<double> limits_;
  std::size_t level_ = 0;
  double choices_ = 1.0, best_ = 0.0;
};

/// Whether some path that a demand may take needs no more segments.
bool some_path_within(const ClassWishes& wishes, IgpTable& igp, const Demand& demand, std::size_t depth) {
  const auto allowed = test::allowed_paths(wishes, demand);
  return std::any_of(allowed.paths.begin(), allowed.paths.end(),
                     [&](const Links& path) { return segments_of(wishes.topology, igp, path, depth) <= depth; });
}

}  // namespace

TEST_CASE("few paths by priority keep rules, limits above and true bounds", "[few_class_paths][property]") {
  std::size_t limits_met = 0, levels = 0, below = 0;
  double excess_of_one = 0.0,
         excess_of_two = 0.0;  // of the levels below the first, over bounds for any number of paths
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const ClassWishes wishes{seed, seed % 3 != 0};
    for (const std::size_t paths_max : {1U, 2U, 4U}) {
      CAPTURE(seed, paths_max);
      const auto before = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = 0.7 * kGap});
      const auto few = few_of(wishes, {.paths_max = paths_max, .gap = kGap});
      REQUIRE((before && few));
      check_paths(wishes, *few, paths_max);
      check_levels(wishes, *few);
      CHECK(few->routes.broken == before->broken);
      CHECK(few->segments.empty());
      for (std::size_t k = 0; k < before->levels.size(); ++k) {
        CHECK(few->all_paths_utilization[k] == before->levels[k].utilization);
        CHECK(few->routes.levels[k].limit >= before->levels[k].limit);
        const double wanted = std::max(few->routes.levels[k].lower_bound, before->levels[k].limit) * (1.0 + kGap);
        limits_met += paths_max == 4 && few->routes.levels[k].utilization <= wanted;
        levels += paths_max == 4;
        const LevelCertificate& level = few->routes.levels[k];
        if (k == 0 || !(level.lower_bound > 0.0)) continue;
        below += paths_max == 1;
        const double excess = level.utilization / level.lower_bound - 1.0;
        if (paths_max == 1) excess_of_one += excess;
        if (paths_max == 2) excess_of_two += excess;
      }
      const auto again = few_of(wishes, {.paths_max = paths_max, .gap = kGap});
      CHECK((again && again->routes.plan == few->routes.plan));
    }
  }
  CAPTURE(limits_met, levels, excess_of_one, excess_of_two, below);
  CHECK(static_cast<double>(limits_met) >= 0.97 * static_cast<double>(levels));  // four paths cost next to nothing
  CHECK(excess_of_one <= 0.118 * static_cast<double>(below));                    // found: 0.110 and 0.012
  CHECK(excess_of_two <= 0.0135 * static_cast<double>(below));
}

TEST_CASE("few paths by priority come near every choice of so many paths", "[few_class_paths][property]") {
  double worst = 0.0, sum = 0.0, worst_first = 0.0;
  int tried = 0, compared = 0;
  for (std::uint64_t seed = 1; tried < 60; ++seed) {
    REQUIRE(seed < 5000);
    ClassWishes wishes{seed, seed % 2 == 0};
    Rng rng{seed, "few demands"};
    keep_demands(wishes, rng, 3 + rng.below(3));
    FewPathsOptions options{.paths_max = 1 + rng.below(2), .gap = kGap};
    if (rng.below(2) == 0) options.sid_depth = 2 + rng.below(2);
    EveryChoice every{wishes, options};
    if (wishes.levels().size() < 2 || every.choices() < 20.0 || every.choices() > 1500.0) continue;
    const auto few = few_of(wishes, options);
    if (options.sid_depth && !few) continue;  // some pair without traffic has no short list
    ++tried;
    CAPTURE(seed, options.paths_max, options.sid_depth.value_or(0));
    REQUIRE(few);
    std::vector<double> limits;
    for (std::size_t k = 0; k < few->routes.levels.size(); ++k) {
      const LevelCertificate& level = few->routes.levels[k];
      const double best = every.best(k, limits);
      limits.push_back(level.limit * (1.0 + 1e-9));
      if (!(best > 0.0)) continue;
      CAPTURE(k, best, level.utilization, level.limit);
      const double ratio = level.utilization / best;
      CHECK(ratio >= 1.0 - 1e-6);
      worst = std::max(worst, ratio);
      if (k == 0) worst_first = std::max(worst_first, ratio);
      sum += ratio;
      ++compared;
    }
  }
  CAPTURE(worst, worst_first, sum / compared, compared);
  CHECK(worst <= 1.2);
  CHECK(sum / compared <= 1.01);
}

TEST_CASE("the most important level fares as it does alone", "[few_class_paths][property]") {
  double sum = 0.0;
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const ClassWishes wishes{seed, false};
    const auto level_of = level_of_class(wishes.levels(), wishes.class_count);
    if (wishes.levels().size() < 2) continue;
    ClassWishes alone = wishes, crowded = wishes;
    const std::size_t entries = wishes.topology.node_count() * wishes.topology.node_count();
    for (std::size_t e = 0; e < alone.traffic.bps().size(); ++e) {
      if (level_of[e / entries] == 0) continue;
      alone.traffic.bps()[e] = 0.0;
      crowded.traffic.bps()[e] *= 20.0;
    }
    for (const std::size_t paths_max : {1U, 2U}) {
      CAPTURE(seed, paths_max);
      const auto together = few_of(crowded, {.paths_max = paths_max, .gap = kGap});
      const auto by_itself = few_of(alone, {.paths_max = paths_max, .gap = kGap});
      REQUIRE((together && by_itself));
      const double lone = by_itself->routes.levels[0].utilization;
      if (!(lone > 0.0)) continue;
      const double ratio = together->routes.levels[0].utilization / lone;
      CHECK(ratio <= 1.35);
      sum += ratio;
      ++compared;
    }
  }
  CAPTURE(sum / static_cast<double>(compared), compared);
  CHECK(compared > 100);
  CHECK(sum / static_cast<double>(compared) <= 1.01);
}

TEST_CASE("a segment depth is refused exactly where it and a rule leave some demand no path",
          "[few_class_paths][property]") {
  std::size_t refused = 0, planned = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const ClassWishes wishes{seed, seed % 3 != 0};
    const std::size_t depth = 1 + seed % 3;
    const FewPathsOptions options{.paths_max = 2, .sid_depth = depth, .gap = kGap};
    const auto all = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = 0.7 * kGap});
    REQUIRE(all);
    IgpTable igp{wishes.topology};
    bool possible = true;
    for (std::size_t d = 0; d < all->plan.demand_count(); ++d) {
      const Demand& demand = all->plan.demands()[d];
      const auto links = all->plan.path(d, 0).links;
      const bool kept = test::allowed_paths(wishes, demand).broken
                            ? segments_of(wishes.topology, igp, Links(links.begin(), links.end()), depth) <= depth
                            : some_path_within(wishes, igp, demand, depth);
      possible = possible && kept;
    }
    CAPTURE(seed, depth, possible);
    const auto few = reduce_class_paths(wishes.topology, wishes.traffic, wishes.policies, *all, options);
    CHECK(few.has_value() == possible);
    if (!few) {
      ++refused;
      CHECK(few.error().code == ErrorCode::kUnsupported);
      CHECK(few.error().message.find("all demands can by ") != std::string::npos);
      continue;
    }
    ++planned;
    check_paths(wishes, *few, 2);
    check_levels(wishes, *few);
    REQUIRE(few->segments.size() == few->routes.plan.path_count());
    const auto verified = simulator::verify_plan(wishes.topology, wishes.traffic, file_of(wishes, *few, options));
    INFO((verified ? "" : verified.error().message));
    CHECK(verified);
    if (verified) CHECK(verified->segments_most <= depth);
  }
  CHECK(refused > 30);
  CHECK(planned > 100);
}

TEST_CASE("the depth that an error names is the least that will do", "[few_class_paths][property]") {
  std::size_t tried = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const ClassWishes wishes{seed, true};
    const auto refused = few_of(wishes, {.sid_depth = 1, .gap = kGap});
    if (refused) continue;
    CAPTURE(seed, refused.error().message);
    const std::string before_number = "all demands can by ";
    const std::size_t at = refused.error().message.find(before_number);
    REQUIRE(at != std::string::npos);
    const auto needed = static_cast<std::size_t>(std::stoul(refused.error().message.substr(at + before_number.size())));
    CHECK(few_of(wishes, {.sid_depth = needed, .gap = kGap}).has_value());
    CHECK_FALSE(few_of(wishes, {.sid_depth = needed - 1, .gap = kGap}).has_value());
    ++tried;
  }
  CHECK(tried > 20);
}

TEST_CASE("the verifier accepts few paths by priority and refuses what is not so", "[few_class_paths][property]") {
  using simulator::ClassProof;
  const std::vector<std::pair<const char*, std::function<void(ClassProof&)>>> forgeries{
      {"a limit that is passed", [](ClassProof& proof) { proof.levels[0].limit = proof.levels[0].utilization * 0.99; }},
      {"a better utilisation", [](ClassProof& proof) { proof.levels.back().utilization *= 0.99; }},
      {"a higher bound", [](ClassProof& proof) { proof.levels.back().lower_bound *= 1.01; }},
      {"a negative dual", [](ClassProof& proof) { proof.levels[0].duals[0][0] = -1.0; }},
  };
  std::size_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    const ClassWishes wishes{seed, seed % 2 == 0};
    for (const std::size_t paths_max : {1U, 3U}) {
      CAPTURE(seed, paths_max);
      const FewPathsOptions options{.paths_max = paths_max, .gap = kGap};
      const auto few = few_of(wishes, options);
      REQUIRE(few);
      io::PlanFile file = file_of(wishes, *few, options);
      const auto plain = simulator::verify_plan(wishes.topology, wishes.traffic, file);
      INFO((plain ? "" : plain.error().message));
      CHECK(plain);
      const auto verify = [&](const ClassProof& proof) {
        return simulator::verify_classes(wishes.topology, wishes.traffic, wishes.policies, few->routes.plan, proof);
      };
      const auto classes = verify(proof_of(*few));
      INFO((classes ? "" : classes.error().message));
      REQUIRE(classes);
      CHECK(classes->broken == few->routes.broken);
      ++accepted;
      if (few->routes.levels[0].lower_bound <= 0.0) continue;
      for (const auto& [what, forge] : forgeries) {
        CAPTURE(what);
        ClassProof proof = proof_of(*few);
        forge(proof);
        CHECK_FALSE(verify(proof));
      }
      if (most_paths(few->routes.plan) > 1) {
        file.limits.paths_max = most_paths(few->routes.plan) - 1;
        CHECK_FALSE(simulator::verify_plan(wishes.topology, wishes.traffic, file));
      }
    }
  }
  CHECK(accepted == 160);
}

TEST_CASE("a live plan that gives up paths gives up none of the order of its levels", "[few_class_paths][property]") {
  double worst = 0.0, worst_alike = 0.0, sum = 0.0, sum_alike = 0.0;
  std::size_t reduced = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const ClassWishes wishes{seed, false};
    const auto levels = wishes.levels();
    if (levels.size() < 2) continue;
    const auto level_of = level_of_class(levels, wishes.class_count);
    const PathPlan plan = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = 1e-4})->plan;
    if (most_paths(plan) < 3) continue;
    CAPTURE(seed);
    ++reduced;
    const PathPlan few = keep_few_paths(wishes.topology, wishes.traffic, plan, 2, levels);
    REQUIRE(few.check(wishes.topology));
    CHECK(most_paths(few) <= 2);
    CHECK(keep_few_paths(wishes.topology, wishes.traffic, plan, 2, levels) == few);
    const auto first_level = [&](const PathPlan& of) {
      return level_utilizations(wishes.topology, of, wishes.traffic, level_of, levels.size())[0];
    };
    if (!(first_level(plan) > 0.0)) continue;
    const double ratio = first_level(few) / first_level(plan);
    const double alike = first_level(keep_few_paths(wishes.topology, wishes.traffic, plan, 2)) / first_level(plan);
    worst = std::max(worst, ratio);
    worst_alike = std::max(worst_alike, alike);
    sum += ratio;
    sum_alike += alike;
  }
  CAPTURE(worst, worst_alike, sum, sum_alike, reduced);
  CHECK(reduced > 50);
  CHECK(sum <= sum_alike);
  CHECK(worst <= worst_alike);
}

TEST_CASE("a plan of so few paths is given back as it is; a matrix of another network is refused",
          "[few_class_paths]") {
  const ClassWishes wishes{3, true};
  const auto routes = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
  REQUIRE(routes);
  const auto same = reduce_class_paths(wishes.topology, wishes.traffic, wishes.policies, *routes,
                                       {.paths_max = most_paths(routes->plan)});
  REQUIRE(same);
  CHECK(same->routes.plan == routes->plan);
  const auto refused = reduce_class_paths(wishes.topology, TrafficMatrix{1}, wishes.policies, *routes);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kShapeMismatch);
}

}  // namespace wan::controller
