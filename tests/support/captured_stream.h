#pragma once

#include <ostream>
#include <sstream>
#include <string>

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

}  // namespace wan::test
