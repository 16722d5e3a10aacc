#pragma once

#include <string>

#include "controller/program/aiwanctl/answer.h"

namespace wan::aiwanctl {

/// A JSON document as YAML 1.2 in block style, which YAML 1.1 readers take the same way: a string that could be taken
/// for something else is quoted, text of several lines is a literal block. Ends with a newline.
[[nodiscard]] std::string to_yaml(const Json& document);

}  // namespace wan::aiwanctl
