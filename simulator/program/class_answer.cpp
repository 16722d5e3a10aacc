#include "simulator/program/class_answer.h"

#include <utility>

#include "controller/few_class_paths.h"
#include "core/time.h"
#include "simulator/program/path_limits.h"

namespace wan::simulator {
namespace {

ClassAnswer by_classes(controller::ClassRoutes&& routes, double gap) {
  ClassAnswer answer;
  answer.proof = class_proof(routes, gap);
  for (const controller::LevelCertificate& level : routes.levels) answer.priorities.push_back(level.level);
  answer.utilization = routes.levels.back().utilization;
  answer.admitted.assign(routes.plan.demand_count(), 1.0);
  answer.plan = std::move(routes.plan);
  answer.certificate = std::move(routes.certificate);
  answer.unrouted = std::move(routes.unrouted);
  answer.broken = std::move(routes.broken);
  answer.levels = std::move(routes.levels);
  return answer;
}

ClassAnswer by_shares(controller::FairRoutes&& routes, double fill_to) {
  ClassAnswer answer;
  answer.fair = true;
  answer.proof = class_proof(routes, fill_to);
  answer.unproven = routes.unproven;
  answer.priorities = std::move(routes.levels);
  answer.utilization = routes.utilization;
  answer.admitted = std::move(routes.admitted);
  answer.plan = std::move(routes.plan);
  answer.certificate = std::move(routes.offered);
  answer.unrouted = std::move(routes.unrouted);
  answer.broken = std::move(routes.broken);
  answer.rounds = std::move(routes.rounds);
  return answer;
}

/// The plan by priority; with limits, its reduction to few paths, what this costs coming out of the same gap.
Result<controller::FewClassRoutes> routes_of(const Topology& topology, const TrafficMatrix& traffic,
                                             const controller::PolicySet& policies, const SolveRequest& request) {
  const bool few = request.limits != io::PlanLimits{};
  const double gap = few ? kGapOfAllPaths * request.gap : request.gap;
  auto routes = controller::plan_classes(topology, traffic, policies, {.gap = gap, .least_delay = true});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  if (!few)
    return controller::FewClassRoutes{.routes = *std::move(routes), .segments = {}, .all_paths_utilization = {}};
  return controller::reduce_class_paths(topology, traffic, policies, *std::move(routes),
                                        few_paths_options(request.limits, request.gap));
}

}  // namespace

Result<ClassAnswer> answer_by_classes(const Topology& topology, const TrafficMatrix& traffic,
                                      const controller::PolicySet& policies, const ClassSolveOptions& options,
                                      const SolveRequest& request) {
  const SteadyClock clock;
  const Duration started = clock.now();
  auto routes = routes_of(topology, traffic, policies, request);
  if (!routes) return tl::unexpected<Error>{routes.error()};
  ClassAnswer answer;
  if (options.objective == "fair" && routes->routes.levels.back().utilization > options.fill_to) {
    auto shares = controller::plan_fair_shares(topology, traffic, policies,
                                               {.utilization_max = options.fill_to, .rounds_max = options.rounds_max});
    if (!shares) return tl::unexpected<Error>{shares.error()};
    answer = by_shares(*std::move(shares), options.fill_to);
  } else {
    answer = by_classes(std::move(routes->routes), request.gap);
    answer.limits = request.limits;
    answer.segments = std::move(routes->segments);
    answer.all_paths_utilization = std::move(routes->all_paths_utilization);
  }
  answer.seconds = to_seconds(clock.now() - started);
  return answer;
}

}  // namespace wan::simulator
