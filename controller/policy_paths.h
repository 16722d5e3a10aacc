#pragma once

#include "controller/policy.h"
#include "core/path_plan.h"
#include "core/topology.h"

namespace wan::controller {

/// Bends a plan to the policies: pinned demands take their path while it is up; a class gives up paths over links that
/// it avoids and paths longer than its latency bound, their shares going to the demand's other paths.
///
/// A demand all of whose paths are unwanted takes the least-delay path without the links avoided; where there is none
/// within the latency bound, the one with least delay; where links cannot be avoided, the least-delay path of all.
/// What follows the policies is given back as it is, so that the result follows them too.
/// Cost: O(paths x hops), and a shortest-path run for each demand that must be routed anew.
[[nodiscard]] PathPlan follow_policies(const Topology& topology, const PolicySet& policies, const PathPlan& plan);

/// The plan for another number of classes: new classes take the paths of class 0, classes beyond are left out.
[[nodiscard]] PathPlan with_class_count(const PathPlan& plan, std::size_t class_count);

}  // namespace wan::controller
