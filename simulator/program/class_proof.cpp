#include "simulator/program/class_proof.h"

#include <cmath>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace wan::simulator {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kKey = "class_proof";

ClassProof::Level level_of(const controller::PriorityLevel& level) {
  ClassProof::Level out;
  out.priority = level.priority;
  out.classes = level.classes;
  return out;
}

Json to_json(const ClassProof& proof) {
  Json json{{"objective", proof.fair ? "fair" : "classes"}};
  if (proof.fair) {
    json["utilization_max"] = proof.utilization_max;
    json["within"] = proof.within;
  } else {
    json["gap"] = proof.gap;
  }
  Json levels = Json::array();
  for (const ClassProof::Level& level : proof.levels) {
    Json classes = Json::array();
    for (const TrafficClass cls : level.classes) classes.push_back(cls.index());
    Json entry{{"priority", level.priority}, {"classes", std::move(classes)}};
    if (!proof.fair) {
      entry["utilization"] = level.utilization;
      entry["lower_bound"] = level.lower_bound;
      entry["limit"] = level.limit;
      entry["duals"] = level.duals;
    }
    levels.push_back(std::move(entry));
  }
  json["levels"] = std::move(levels);
  if (!proof.fair) return json;
  Json rounds = Json::array(), admitted = Json::array();
  for (const ClassProof::Round& round : proof.rounds) {
    rounds.push_back({{"level", round.level}, {"fraction", round.fraction}, {"duals", round.duals}});
  }
  for (const ClassProof::Admitted& entry : proof.admitted) {
    admitted.push_back({{"class", entry.demand.cls.index()},
                        {"from", entry.demand.from.index()},
                        {"to", entry.demand.to.index()},
                        {"fraction", entry.fraction},
                        {"round", entry.round}});
  }
  json["rounds"] = std::move(rounds);
  json["admitted"] = std::move(admitted);
  return json;
}

/// Takes the proof's JSON apart; the first thing that is wrong is thrown as text.
class ProofReader {
 public:
  explicit ProofReader(const Topology& topology) : topology_{topology} {}

  ClassProof read(const Json& json) const {
    ClassProof proof;
    const auto objective = field(json, "objective").get<std::string>();
    if (objective != "fair" && objective != "classes")
      throw std::string{"\"objective\" must be \"classes\" or \"fair\""};
    proof.fair = objective == "fair";
    if (proof.fair) {
      proof.utilization_max = number(json, "utilization_max");
      proof.within = number(json, "within");
    } else {
      proof.gap = number(json, "gap");
    }
    for (const Json& entry : list(json, "levels")) proof.levels.push_back(level(entry, proof.fair));
    if (!proof.fair) return proof;
    for (const Json& entry : list(json, "rounds")) {
      proof.rounds.push_back({.level = whole(entry, "level", proof.levels.size()),
                              .fraction = number(entry, "fraction"),
                              .duals = prices(field(entry, "duals"))});
    }
    for (const Json& entry : list(json, "admitted")) {
      const Demand demand{TrafficClass{whole(entry, "class", kClassesMax)},
                          NodeId{whole(entry, "from", topology_.node_count())},
                          NodeId{whole(entry, "to", topology_.node_count())}};
      const auto round = static_cast<std::uint32_t>(whole(entry, "round", proof.rounds.size()));
      proof.admitted.push_back({.demand = demand, .fraction = number(entry, "fraction"), .round = round});
    }
    return proof;
  }

 private:
  static constexpr std::size_t kClassesMax = 256;

  static const Json& field(const Json& json, const char* key) {
    if (!json.is_object() || !json.contains(key)) throw std::string{"\""} + key + "\" is missing";
    return json.at(key);
  }
  static const Json& list(const Json& json, const char* key) {
    const Json& value = field(json, key);
    if (!value.is_array()) throw std::string{"\""} + key + "\" must be a list";
    return value;
  }
  static double finite(const Json& value) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) throw std::string{"a number was wanted"};
    return value.get<double>();
  }
  static double number(const Json& json, const char* key) { return finite(field(json, key)); }
  static std::size_t whole(const Json& json, const char* key, std::size_t below) {
    const Json& value = field(json, key);
    if (!value.is_number_unsigned() || value.get<std::size_t>() >= below) {
      throw std::string{"\""} + key + "\" must be a whole number below " + std::to_string(below);
    }
    return value.get<std::size_t>();
  }
  [[nodiscard]] std::vector<double> prices(const Json& json) const {
    if (!json.is_array() || json.size() != topology_.link_count()) {
      throw std::string{"duals must be a list of "} + std::to_string(topology_.link_count()) + " numbers";
    }
    std::vector<double> out;
    for (const Json& entry : json) out.push_back(finite(entry));
    return out;
  }
  [[nodiscard]] ClassProof::Level level(const Json& json, bool fair) const {
    ClassProof::Level out;
    if (!field(json, "priority").is_number_integer()) throw std::string{"\"priority\" must be a whole number"};
    out.priority = field(json, "priority").get<int>();
    for (const Json& cls : list(json, "classes")) {
      if (!cls.is_number_unsigned() || cls.get<std::size_t>() >= kClassesMax) throw std::string{"no such class"};
      out.classes.emplace_back(cls.get<std::size_t>());
    }
    if (fair) return out;
    out.utilization = number(json, "utilization");
    out.lower_bound = number(json, "lower_bound");
    out.limit = number(json, "limit");
    for (const Json& entry : list(json, "duals")) out.duals.push_back(prices(entry));
    return out;
  }

  const Topology& topology_;
};

}  // namespace

ClassProof class_proof(const controller::ClassRoutes& routes, double gap) {
  ClassProof proof;
  proof.gap = gap;
  for (const controller::LevelCertificate& level : routes.levels) {
    ClassProof::Level entry = level_of(level.level);
    entry.utilization = level.utilization;
    entry.lower_bound = level.lower_bound;
    entry.limit = level.limit;
    entry.duals = level.duals;
    proof.levels.push_back(std::move(entry));
  }
  return proof;
}

ClassProof class_proof(const controller::FairRoutes& routes, double utilization_max) {
  ClassProof proof;
  proof.fair = true;
  proof.utilization_max = utilization_max;
  proof.within = routes.within;
  for (const controller::PriorityLevel& level : routes.levels) proof.levels.push_back(level_of(level));
  for (const controller::FairRound& round : routes.rounds) {
    proof.rounds.push_back({.level = round.level, .fraction = round.fraction, .duals = round.duals});
  }
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    const std::uint32_t round = routes.round[d];
    if (round == controller::FairRoutes::kNoRound || routes.rounds[round].fraction >= 1.0) continue;
    proof.admitted.push_back({.demand = routes.plan.demands()[d], .fraction = routes.admitted[d], .round = round});
  }
  return proof;
}

Result<void> add_class_proof(const std::filesystem::path& file, const ClassProof& proof) {
  std::fstream plan{file, std::ios::binary | std::ios::in | std::ios::out | std::ios::ate};
  // The file ends with "}" and a newline: the new key goes before both.
  const std::streamoff end = plan ? static_cast<std::streamoff>(plan.tellg()) : 0;
  std::string tail(2, '\0');
  if (end >= 2) plan.seekg(end - 2).read(tail.data(), 2);
  if (!plan || tail != "}\n") return fail(ErrorCode::kIo, file.string() + ": cannot add the proof of classes");
  const std::string text = ",\n\"" + std::string{kKey} + "\":" + to_json(proof).dump() + "\n}\n";
  plan.seekp(end - 2).write(text.data(), static_cast<std::streamsize>(text.size())).flush();
  if (!plan) return fail(ErrorCode::kIo, file.string() + ": cannot add the proof of classes");
  return {};
}

Result<std::optional<ClassProof>> parse_class_proof(std::istream& plan, const std::string& name,
                                                    const Topology& topology) {
  const auto ours_alone = [](int depth, Json::parse_event_t event, Json& parsed) {
    return depth != 1 || event != Json::parse_event_t::key || parsed == kKey;
  };
  const std::string where = name + ": " + std::string{kKey} + ": ";
  try {
    const Json json = Json::parse(plan, ours_alone);
    if (!json.is_object() || !json.contains(kKey)) return std::optional<ClassProof>{};
    return ProofReader{topology}.read(json.at(kKey));
  } catch (const std::string& why) {
    return fail(ErrorCode::kBadInput, where + why);
  } catch (const Json::parse_error& error) {
    return fail(ErrorCode::kBadInput, where + "no well-formed JSON at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    return fail(ErrorCode::kBadInput, where + "a value of the wrong kind, or a number beyond all bounds");
  }
}

Result<std::optional<ClassProof>> read_class_proof(const std::filesystem::path& file, const Topology& topology) {
  std::ifstream plan{file, std::ios::binary};
  if (!plan) return fail(ErrorCode::kIo, file.string() + ": cannot be read");
  return parse_class_proof(plan, file.string(), topology);
}

}  // namespace wan::simulator
