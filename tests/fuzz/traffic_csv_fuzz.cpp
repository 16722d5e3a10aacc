#include "core/io/traffic_csv.h"
#include "tests/fuzz/expectations.h"
#include "tests/fuzz/networks.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto series = wan::io::parse_traffic_csv(text, "input", wan::fuzz::diamond());
  if (!series) {
    wan::fuzz::expect_good_message(series.error());
    return 0;
  }
  wan::fuzz::expect(!series->intervals.empty(), "a series has a row");
  for (std::size_t i = 0; i < series->intervals.size(); ++i) {
    wan::fuzz::expect_sound(series->intervals[i]);
    wan::fuzz::expect(i == 0 || series->intervals[i - 1].measured_at() < series->intervals[i].measured_at(),
                      "times increase");
  }
  return 0;
}
