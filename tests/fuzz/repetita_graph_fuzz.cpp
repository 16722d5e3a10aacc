#include "tests/fuzz/expectations.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  return wan::fuzz::fuzz_topology({reinterpret_cast<const char*>(data), size}, "NODES");
}
