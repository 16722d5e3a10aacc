#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/io/topology_file.h"
#include "core/traffic_matrix.h"

// What must hold for any bytes whatever: broken promises end the process, which is what a fuzzer looks for.
namespace wan::fuzz {

inline void expect(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// One line that begins with the file's name.
inline void expect_good_message(const Error& error) {
  expect(error.code == ErrorCode::kBadInput, "bytes can only be bad input");
  expect(error.message.starts_with("input:"), "the message names the file");
  expect(error.message.size() < 2000, "the message is short");
  for (const char c : error.message) expect(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "one printable line");
}

/// Entries from 0 to 1e18 bit/s, none on the diagonal.
inline void expect_sound(const TrafficMatrix& matrix) {
  const std::size_t n = matrix.node_count();
  for (std::size_t i = 0; i < matrix.bps().size(); ++i) {
    expect(matrix.bps()[i] >= 0.0 && matrix.bps()[i] <= 1e18, "a rate within bounds");
    expect(i / n != i % n || matrix.bps()[i] == 0.0, "no traffic from a node to itself");
  }
}

inline void expect_sound(const Topology& topology) {
  expect(topology.node_count() > 0 && topology.link_count() > 0, "a network has nodes and links");
  const auto again = Topology::make({topology.nodes().begin(), topology.nodes().end()},
                                    {topology.links().begin(), topology.links().end()});
  expect(again.has_value(), "a topology keeps its promises");
}

/// Reads the bytes as a topology if they begin as the format does: the readers tell formats apart by that.
inline int fuzz_topology(std::string_view text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return 0;
  const auto file = io::parse_topology(text, "input");
  if (file) {
    expect_sound(file->topology);
  } else {
    expect_good_message(file.error());
  }
  return 0;
}

}  // namespace wan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);
