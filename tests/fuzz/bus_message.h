#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "telemetry/bus_codec.h"
#include "tests/fuzz/expectations.h"

namespace wan::fuzz {

/// A message that was taken can be sent on and is the same then; one that was refused has a short, printable reason.
template <typename Message>
int expect_whole(const Result<Message>& message, Result<Message> (*decode)(std::string_view)) {
  if (!message) {
    const Error& error = message.error();
    expect(error.code == ErrorCode::kBadInput || error.code == ErrorCode::kUnsupported, "bytes can only be bad input");
    expect(error.message.starts_with("bus message: ") && error.message.size() < 300, "a short message");
    for (const char c : error.message) expect(c >= 0x20 && c < 0x7f, "one printable line");
    return 0;
  }
  const Result<Message> again = decode(telemetry::encode(*message));
  expect(again.has_value() && *again == *message, "what was taken is whole");
  return 0;
}

}  // namespace wan::fuzz
