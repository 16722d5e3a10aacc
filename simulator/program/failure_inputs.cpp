#include "simulator/program/failure_inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/digest.h"
#include "core/io/network_file.h"
#include "core/io/text_source.h"
#include "core/io/topology_file.h"

namespace wan::simulator {
namespace {

constexpr std::size_t kGroupsBytesMax = std::size_t{16} << 20;

struct Network {
  Topology topology;
  std::vector<std::string> assumptions;
  std::vector<std::string> srlg_names;
};

Result<Network> read_any_network(const std::string& file) {
  if (file.ends_with(".yaml") || file.ends_with(".yml")) {
    auto described = io::read_network(file);
    if (!described) return tl::unexpected{described.error()};
    return Network{std::move(described->topology), {}, std::move(described->srlg_names)};
  }
  auto read = io::read_topology(file);
  if (!read) return tl::unexpected{read.error()};
  return Network{std::move(read->topology), std::move(read->assumptions), {}};
}

/// The links that a word stands for: one direction by its name, or both by "A<>B".
std::vector<LinkId> links_of(const Topology& topology, const std::string& word) {
  if (const auto one = topology.find_link(word)) return {*one};
  const std::size_t arrow = word.find("<>");
  if (arrow == std::string::npos) return {};
  const std::size_t number = word.rfind('#');
  const bool numbered = number != std::string::npos && number > arrow;
  const std::string a = word.substr(0, arrow);
  const std::string b = word.substr(arrow + 2, numbered ? number - arrow - 2 : std::string::npos);
  const std::string suffix = numbered ? word.substr(number) : "";
  std::vector<LinkId> links;
  for (const std::string& name : {a + ">" + b + suffix, b + ">" + a + suffix}) {
    if (const auto link = topology.find_link(name)) links.push_back(*link);
  }
  return links;
}

/// Replaces the network's own groups by those of a file.
Result<void> take_groups(Network& network, const std::string& file) {
  const auto bad = [&](const std::string& why) { return fail(ErrorCode::kBadInput, file + ": " + why); };
  const auto text = io::read_whole_file(file, kGroupsBytesMax);
  if (!text) return tl::unexpected{text.error()};
  const auto document = nlohmann::ordered_json::parse(*text, nullptr, false);
  if (!document.is_object()) return bad("wanted a JSON object, {\"group\": [\"A>B\", \"C<>D\"], ...}");
  std::vector<Link> links(network.topology.links().begin(), network.topology.links().end());
  for (Link& link : links) link.srlgs.clear();
  network.srlg_names.clear();
  for (const auto& [name, members] : document.items()) {
    if (!members.is_array()) return bad("group \"" + name + "\" is no list of link names");
    const SrlgId group{network.srlg_names.size()};
    network.srlg_names.push_back(name);
    for (const auto& member : members) {
      if (!member.is_string()) return bad("group \"" + name + "\" holds something that is no link name");
      const auto named = links_of(network.topology, member.get<std::string>());
      if (named.empty()) {
        return bad("group \"" + name + "\": no link \"" + member.get<std::string>() +
                   "\"; write A>B for one direction, A<>B for both, A<>B#2 for the second of parallel ones");
      }
      for (const LinkId link : named) {
        auto& groups = links[link.index()].srlgs;
        if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
      }
    }
  }
  const auto nodes = network.topology.nodes();
  auto topology = Topology::make({nodes.begin(), nodes.end()}, std::move(links));
  if (!topology) return tl::unexpected{topology.error()};
  network.topology = *std::move(topology);
  return {};
}

std::string digest_of(const FailureInputs& inputs) {
  Digest digest;
  digest.add(inputs.topology.digest());
  for (const double entry : inputs.traffic.bps()) digest.add(entry);
  for (const controller::Failure& failure : inputs.failures) {
    digest.add(failure.name);
    for (const LinkId link : failure.down) digest.add(std::uint64_t{link.index()});
  }
  return digest.hex();
}

}  // namespace

Result<FailureInputs> read_failure_inputs(const FailureArguments& arguments, const BestUtilization& best_utilization) {
  auto network = read_any_network(arguments.topology);
  if (!network) return tl::unexpected{network.error()};
  if (!arguments.srlg_file.empty()) {
    if (const auto taken = take_groups(*network, arguments.srlg_file); !taken) return tl::unexpected{taken.error()};
  }
  auto traffic = resolve_demands(arguments.demands, network->topology, best_utilization);
  if (!traffic) return tl::unexpected{traffic.error()};

  FailureInputs inputs{.topology = std::move(network->topology),
                       .assumptions = std::move(network->assumptions),
                       .traffic = *std::move(traffic),
                       .failures = {},
                       .digest = {}};
  const auto take = [&](std::vector<controller::Failure> more) {
    inputs.failures.insert(inputs.failures.end(), std::make_move_iterator(more.begin()),
                           std::make_move_iterator(more.end()));
  };
  if (arguments.links) take(controller::link_failures(inputs.topology));
  if (arguments.srlgs || !arguments.srlg_file.empty()) {
    auto groups = controller::srlg_failures(inputs.topology, network->srlg_names);
    if (groups.empty()) {
      return fail(ErrorCode::kBadInput,
                  arguments.topology +
                      ": names no shared-risk groups; give them with --srlg-file, or describe the "
                      "network in YAML (docs/formats/network.md)");
    }
    take(std::move(groups));
  }
  if (arguments.nodes) take(controller::node_failures(inputs.topology));
  if (inputs.failures.empty()) return fail(ErrorCode::kBadInput, arguments.topology + ": nothing here can fail");
  inputs.digest = digest_of(inputs);
  return inputs;
}

}  // namespace wan::simulator
