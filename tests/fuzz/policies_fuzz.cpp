#include <algorithm>

#include "controller/program/policy_file.h"
#include "tests/fuzz/expectations.h"
#include "tests/fuzz/policy_network.h"

namespace {

/// In order, no repeats, of this network.
void expect_links(const std::vector<wan::LinkId>& links) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    wan::fuzz::expect(links[i].index() < wan::fuzz::policy_network().topology.link_count(), "a link that exists");
    wan::fuzz::expect(i == 0 || links[i - 1] < links[i], "links in order");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using wan::fuzz::expect;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const wan::Topology& topology = wan::fuzz::policy_network().topology;
  const auto policies = wan::controller::parse_policies(text, "input", wan::fuzz::policy_network());
  if (!policies) {
    wan::Error error = policies.error();
    if (error.code == wan::ErrorCode::kNotFound) error.code = wan::ErrorCode::kBadInput;
    wan::fuzz::expect_good_message(error);
    return 0;
  }
  expect(!policies->classes.empty() && policies->classes[0].dscps.empty(), "a default class");
  std::vector<bool> met(64, false);
  for (const auto& policy : policies->classes) {
    expect_links(policy.avoid);
    for (const std::uint8_t dscp : policy.dscps) {
      expect(dscp < 64 && !met[dscp], "each DSCP value in one class");
      met[dscp] = true;
    }
  }
  expect_links(policies->drained_links);
  for (const auto& pin : policies->pins) {
    expect(!pin.cls || pin.cls->index() < policies->classes.size(), "a class that exists");
    wan::NodeId at = pin.from;
    for (const wan::LinkId link : pin.links) {
      expect(topology.link(link).from == at, "a pin's links are a chain");
      at = topology.link(link).to;
    }
    expect(at == pin.to && pin.from != pin.to, "a pin leads to its end");
  }
  for (const auto& window : policies->maintenance) expect(window.from < window.to, "a window that begins first");
  expect_links(policies->links_kept_empty(wan::Timestamp{}));
  return 0;
}
