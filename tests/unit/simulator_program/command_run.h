#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace wan::test {

/// Catches what is written to a standard stream while it lives.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_{stream}, before_{stream.rdbuf(text_.rdbuf())} {}
  ~Captured() { stream_.rdbuf(before_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* before_;
};

/// What a run of a command leaves behind.
struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

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
