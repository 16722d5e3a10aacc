#pragma once

#include <string_view>

namespace wan::controller {

/// The file openapi.yaml beside this one, as it was when the program was built.
[[nodiscard]] std::string_view openapi_text();

}  // namespace wan::controller
