#include <string_view>

#include "telemetry/bus_codec.h"
#include "tests/fuzz/bus_message.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto message = wan::telemetry::decode_node_message(bytes);
  return wan::fuzz::expect_whole(message, wan::telemetry::decode_node_message);
}
