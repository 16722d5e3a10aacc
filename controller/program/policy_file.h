#pragma once

#include <string_view>

#include "controller/policy.h"
#include "core/io/network_file.h"
#include "core/result.h"

namespace wan::controller {

/// Reads policies (docs/formats/policy.md) and resolves every name against the network.
///
/// @param name  stands for the file in messages
/// @error kBadInput: "NAME:LINE: KEY: ..." with what is allowed; kNotFound, same form: a node, link, SRLG or class that
///        does not exist
[[nodiscard]] Result<PolicySet> parse_policies(std::string_view text, std::string_view name,
                                               const io::NetworkDescription& network);

}  // namespace wan::controller
