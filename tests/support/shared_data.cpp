#include "tests/support/shared_data.h"

#include <cstdlib>
#include <iostream>

namespace wan::test {

std::optional<std::filesystem::path> shared_data(std::string_view relative) {
  const char* override_root = std::getenv("AIWAN_SHARED_DATA");
  const std::filesystem::path file = std::filesystem::path{override_root ? override_root : WAN_SHARED_DATA} / relative;
  if (std::filesystem::exists(file)) return file;
  std::cout << "SKIPPED: " << file.lexically_normal().string() << " is absent\n";
  return std::nullopt;
}

}  // namespace wan::test
