#include <cmath>
#include <string_view>

#include "telemetry/sqlite/rate_blob.h"
#include "tests/fuzz/expectations.h"

/// The first byte tells how many numbers are expected, the others are the blob.
int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t count = data[0];
  const std::string_view blob{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto values = wan::telemetry::from_rate_blob(blob, count);
  if (!values) {
    wan::fuzz::expect(values.error().code == wan::ErrorCode::kBadInput, "bytes can only be bad input");
    return 0;
  }
  wan::fuzz::expect(values->size() == count, "as many numbers as were asked for");
  const auto again = wan::telemetry::from_rate_blob(wan::telemetry::to_rate_blob(*values), count);
  wan::fuzz::expect(again.has_value(), "what was read can be written");
  for (std::size_t i = 0; i < count; ++i) {
    wan::fuzz::expect((*again)[i] == (*values)[i] || std::isnan((*values)[i]), "and is the same then");
  }
  return 0;
}
