#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "tests/support/captured_stream.h"

namespace wan::test {

/// @param add  registers the command that `arguments` name first
inline Outcome run_command(void (*add)(CLI::App&, int&), std::vector<std::string> arguments) {
  Outcome outcome;
  CLI::App app{"test"};
  add(app, outcome.exit_code);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  const Captured out{std::cout}, err{std::cerr};
  app.parse(arguments);
  outcome.out = out.text();
  outcome.err = err.text();
  return outcome;
}

inline bool is_one_line(const std::string& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

}  // namespace wan::test
