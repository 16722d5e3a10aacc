#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "controller/program/aiwanctl/answer.h"
#include "controller/program/aiwanctl/failure.h"
#include "controller/program/aiwanctl/views.h"

namespace wan::aiwanctl {

/// What `top` shows, from the last answers that came.
struct TopData {
  Json status;
  Json links = Json::array();
  Json decision;                   ///< the newest; null: none yet
  std::optional<Failure> trouble;  ///< why the newest answers are missing
};

struct FrameSize {
  std::size_t columns = 80, rows = 24;
};

/// One picture: a header, then links by utilisation, the busiest first (by name where equal, then those that nobody
/// counts). No line is wider than the frame, and there are at
/// most as many lines as rows.
[[nodiscard]] std::string top_frame(const TopData& data, const Look& look, FrameSize size);

/// The first columns of a line; colour sequences take none, and are ended.
[[nodiscard]] std::string cut_to_columns(std::string_view line, std::size_t columns);

}  // namespace wan::aiwanctl
