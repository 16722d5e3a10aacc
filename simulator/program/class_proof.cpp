#include "simulator/program/class_proof.h"

#include <cmath>
#include <fstream>
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
  Json json{{"objective", "classes"}, {"gap", proof.gap}};
  Json levels = Json::array();
  for (const ClassProof::Level& level : proof.levels) {
    Json classes = Json::array();
    for (const TrafficClass cls : level.classes) classes.push_back(cls.index());
    Json entry{{"priority", level.priority}, {"classes", std::move(classes)}};
    entry["utilization"] = level.utilization;
    entry["lower_bound"] = level.lower_bound;
    entry["limit"] = level.limit;
    entry["duals"] = level.duals;
    levels.push_back(std::move(entry));
  }
  json["levels"] = std::move(levels);
  return json;
}

/// Takes the proof's JSON apart; the first thing that is wrong is thrown as text.
class ProofReader {
 public:
  explicit ProofReader(const Topology& topology) : topology_{topology} {}

  ClassProof read(const Json& json) const {
    ClassProof proof;
    const auto objective = field(json, "objective").get<std::string>();
    if (objective != "classes") throw std::string{"no objective \"" + objective + "\""};
    proof.gap = number(json, "gap");
    for (const Json& entry : list(json, "levels")) proof.levels.push_back(level(entry));
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
  [[nodiscard]] std::vector<double> prices(const Json& json) const {
    if (!json.is_array() || json.size() != topology_.link_count()) {
      throw std::string{"duals must be a list of "} + std::to_string(topology_.link_count()) + " numbers";
    }
    std::vector<double> out;
    for (const Json& entry : json) out.push_back(finite(entry));
    return out;
  }
  [[nodiscard]] ClassProof::Level level(const Json& json) const {
    ClassProof::Level out;
    if (!field(json, "priority").is_number_integer()) throw std::string{"\"priority\" must be a whole number"};
    out.priority = field(json, "priority").get<int>();
    for (const Json& cls : list(json, "classes")) {
      if (!cls.is_number_unsigned() || cls.get<std::size_t>() >= kClassesMax) throw std::string{"no such class"};
      out.classes.emplace_back(cls.get<std::size_t>());
    }
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

Result<std::optional<ClassProof>> read_class_proof(const std::filesystem::path& file, const Topology& topology) {
  std::ifstream plan{file, std::ios::binary};
  if (!plan) return fail(ErrorCode::kIo, file.string() + ": cannot be read");
  const auto ours_alone = [](int depth, Json::parse_event_t event, Json& parsed) {
    return depth != 1 || event != Json::parse_event_t::key || parsed == kKey;
  };
  const std::string where = file.string() + ": " + std::string{kKey} + ": ";
  try {
    const Json json = Json::parse(plan, ours_alone);
    if (!json.is_object() || !json.contains(kKey)) return std::optional<ClassProof>{};
    return ProofReader{topology}.read(json.at(kKey));
  } catch (const std::string& why) {
    return fail(ErrorCode::kBadInput, where + why);
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kBadInput, where + error.what());
  }
}

}  // namespace wan::simulator
