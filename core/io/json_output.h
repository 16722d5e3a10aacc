#pragma once

#include <fstream>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace wan::io {

/// Where the result of a command goes when its user asks for `--json FILE` or `--json -` (standard output).
///
/// With `-`, standard output carries the JSON and nothing else, so that it can be piped: what people are to read goes
/// to `talk()`, which is standard error then and standard output otherwise.
class JsonOutput {
 public:
  /// @param target  a file name, `-`, or nothing when no JSON is wanted
  explicit JsonOutput(std::string target = {}) : target_{std::move(target)} {}

  [[nodiscard]] bool wanted() const { return !target_.empty(); }
  [[nodiscard]] bool to_standard_output() const { return target_ == "-"; }
  [[nodiscard]] std::ostream& talk() const { return to_standard_output() ? std::cerr : std::cout; }

  /// Writes one document and a newline; does nothing when no JSON is wanted.
  /// @error kIo: the file cannot be written, or the disk or pipe behind it took only a part
  [[nodiscard]] Result<void> write(std::string_view document) const {
    if (!wanted()) return {};
    if (to_standard_output()) {
      std::cout << document << '\n' << std::flush;
      if (!std::cout) return fail(ErrorCode::kIo, "cannot write JSON to standard output");
      return {};
    }
    std::ofstream file{target_, std::ios::binary};
    file << document << '\n' << std::flush;
    if (!file) return fail(ErrorCode::kIo, target_ + ": cannot write JSON");
    return {};
  }

 private:
  std::string target_;
};

}  // namespace wan::io
