#include "core/io/demand_file.h"
#include "tests/fuzz/expectations.h"
#include "tests/fuzz/networks.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  wan::fuzz::fuzz_topology(text, "<");
  const auto own = wan::io::parse_topology(text, "input");
  const auto matrix = wan::io::parse_demands(text, "input", own ? own->topology : wan::fuzz::diamond());
  if (matrix) {
    wan::fuzz::expect_sound(*matrix);
  } else {
    wan::fuzz::expect_good_message(matrix.error());
  }
  return 0;
}
