#include "simulator/program/class_traffic.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "controller/program/policy_file.h"
#include "core/io/message_text.h"
#include "core/io/nearest_names.h"
#include "core/io/network_file.h"
#include "core/io/text_source.h"

namespace wan::simulator {
namespace {

struct Named {
  std::size_t cls = 0;
  std::string_view value;
};

Result<Named> split(std::string_view option, std::string_view text, const controller::PolicySet& policies) {
  const std::size_t at = text.find('=');
  const std::string which = std::string{option} + " " + std::string{text} + ": ";
  if (at == std::string_view::npos) return fail(ErrorCode::kBadInput, which + "wanted CLASS=VALUE");
  const std::string_view name = text.substr(0, at);
  std::vector<std::string> known;
  for (std::size_t c = 0; c < policies.classes.size(); ++c) {
    if (policies.classes[c].name == name) return Named{.cls = c, .value = text.substr(at + 1)};
    known.push_back(policies.classes[c].name);
  }
  return fail(ErrorCode::kNotFound,
              which + "the policies have no such class; there are " + io::nearest_names(name, known));
}

std::optional<double> fraction(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && error == std::errc{} && end == text.data() + text.size();
  return whole && std::isfinite(value) && value >= 0.0 && value <= 1.0 ? std::optional{value} : std::nullopt;
}

}  // namespace

void add_class_arguments(CLI::App& command, ClassArguments& arguments) {
  command.add_option("--policies", arguments.policies,
                     "classes of traffic with their priorities, targets, bounds and pins (docs/formats/policy.md); "
                     "--demands is the first class's");
  command.add_option("--class-demands", arguments.class_demands,
                     "CLASS=DEMANDS: more traffic, of another class; may be repeated");
  command.add_option("--class-share", arguments.class_shares,
                     "CLASS=FRACTION: this part of every entry of --demands belongs to another class; may be repeated");
}

Result<controller::PolicySet> read_policies(const std::filesystem::path& file, const Topology& topology) {
  constexpr std::size_t kPolicyBytesMax = 16 * io::kMebibyte;
  const auto text = io::read_whole_file(file, kPolicyBytesMax);
  if (!text) return tl::unexpected<Error>{text.error()};
  io::NetworkDescription network;
  network.topology = topology;
  network.nodes.resize(topology.node_count());
  network.ports.resize(topology.link_count());
  network.reverse.resize(topology.link_count());
  network.duplex_names.resize(topology.link_count());
  return controller::parse_policies(*text, file.string(), network);
}

Result<TrafficMatrix> class_traffic(const ClassArguments& arguments, const controller::PolicySet& policies,
                                    const Topology& topology, const TrafficMatrix& base,
                                    const BestUtilization& best_utilization) {
  const std::size_t entries = topology.node_count() * topology.node_count();
  TrafficMatrix traffic{topology.node_count(), policies.classes.size()};
  traffic.set_measured_at(base.measured_at());
  double left = 1.0;  // of --demands, for the first class
  const auto add = [&](std::size_t cls, const TrafficMatrix& demands, double part) {
    for (std::size_t e = 0; e < entries; ++e) traffic.bps()[cls * entries + e] += part * demands.bps()[e];
  };
  for (const std::string& text : arguments.class_shares) {
    const auto named = split("--class-share", text, policies);
    if (!named) return tl::unexpected<Error>{named.error()};
    const auto part = fraction(named->value);
    if (!part) return fail(ErrorCode::kBadInput, "--class-share " + text + ": wanted a fraction from 0 to 1");
    left -= *part;
    if (left < -1e-12) return fail(ErrorCode::kBadInput, "--class-share " + text + ": the shares sum to more than 1");
    add(named->cls, base, *part);
  }
  add(0, base, std::max(left, 0.0));
  for (const std::string& text : arguments.class_demands) {
    const auto named = split("--class-demands", text, policies);
    if (!named) return tl::unexpected<Error>{named.error()};
    const auto demands = resolve_demands(named->value, topology, best_utilization);
    if (!demands) return tl::unexpected<Error>{demands.error()};
    add(named->cls, *demands, 1.0);
  }
  return traffic;
}

}  // namespace wan::simulator
