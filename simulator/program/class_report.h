#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/policy.h"
#include "core/io/topology_file.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/class_answer.h"

namespace wan::simulator {

struct CarriedAmounts {
  double offered_bps = 0.0, carried_bps = 0.0;
};

/// A demand that is not carried whole, and full links on its paths: those that bind it.
struct ShedDemand {
  Demand demand;
  double offered_bps = 0.0;
  double admitted = 0.0;
  std::vector<LinkId> full_links;
};

/// An answer where classes count, with what a report of it says. The parts outlive it.
struct ClassStory {
  const Topology& topology;
  const TrafficMatrix& traffic;
  const controller::PolicySet& policies;
  const ClassAnswer& answer;
  std::vector<CarriedAmounts> amounts;  // by class
  std::vector<ShedDemand> shed;         // most traffic lost first

  [[nodiscard]] std::string class_names(const controller::PriorityLevel& level) const {
    std::string names;
    for (const TrafficClass cls : level.classes) {
      names += (names.empty() ? "" : ", ") + policies.classes[cls.index()].name;
    }
    return names;
  }
  [[nodiscard]] std::string ends(const Demand& demand) const {
    return topology.node(demand.from).name + ">" + topology.node(demand.to).name;
  }
};

[[nodiscard]] ClassStory class_story(const Topology& topology, const TrafficMatrix& traffic,
                                     const controller::PolicySet& policies, const ClassAnswer& answer, double fill_to);

/// What `solve --json` writes.
[[nodiscard]] nlohmann::ordered_json to_json(const ClassStory& story, const ClassSolveOptions& options);
/// What it tells.
/// @param gap_wanted  levels that miss it get a note
void tell(std::ostream& talk, const io::TopologyFile& network, const ClassStory& story,
          const ClassSolveOptions& options, double gap_wanted);

}  // namespace wan::simulator
