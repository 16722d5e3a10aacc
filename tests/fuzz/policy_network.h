#pragma once

#include <string_view>

#include "core/io/network_file.h"

namespace wan::fuzz {

/// What the policies of the corpus and of docs/formats/policy.md are about.
inline const io::NetworkDescription& policy_network() {
  static const io::NetworkDescription network = io::parse_network(R"(nodes:
  - {name: ams, locator: "fc00:0:1::/64"}
  - {name: core7, locator: "fc00:0:7::/64"}
  - {name: core9, locator: "fc00:0:9::/64"}
  - {name: fra, locator: "fc00:0:2::/64"}
links:
  - {ends: [ams, core7], ports: [a1, c1], capacity: 20 Mbit/s, name: west-1, srlgs: [duct-west]}
  - {ends: [ams, core7], ports: [a2, c2], capacity: 20 Mbit/s, name: west-2, srlgs: [duct-west]}
  - {ends: [core7, fra], ports: [c3, f3], capacity: 20 Mbit/s}
  - {ends: [ams, core9], ports: [a4, d4], capacity: 20 Mbit/s}
  - {ends: [core9, fra], ports: [d5, f5], capacity: 20 Mbit/s}
)",
                                                                  "network.yaml")
                                                    .value();
  return network;
}

}  // namespace wan::fuzz
