#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "controller/program/aiwand/mode.h"
#include "core/result.h"
#include "core/units.h"

namespace wan::controller {

/// What `aiwand.yaml` says; docs/formats/aiwand-config.md describes it.
struct DaemonConfig {
  std::filesystem::path network;
  std::string bus = "ipc:///run/aiwan/bus.sock";
  std::filesystem::path state = "/var/lib/aiwan";
  Duration interval{std::chrono::seconds{1}};
  Duration grace{std::chrono::milliseconds{300}};
  Mode mode = Mode::kAdvise;
  double max_moved_share = 0.3;
  double utilization_target = 0.7;
  std::optional<std::filesystem::path> model;
  std::optional<std::filesystem::path> policies;
  struct Api {
    std::filesystem::path socket = "/run/aiwan/aiwand.sock";
    struct Listen {
      std::string host;
      int port = 0;
    };
    std::optional<Listen> listen;
  } api;
  struct History {
    Duration raw{std::chrono::hours{24 * 7}};
    Duration minutes{std::chrono::hours{24 * 90}};
    Duration hours{std::chrono::hours{24 * 1095}};
  } history;
  std::size_t segments_max = 10;
  struct Log {
    std::string level = "info";
    bool json = false;
  } log;
};

/// @error kNotFound, kIo: the file cannot be read; kBadInput: "FILE:LINE: KEY: ..." with what is allowed
[[nodiscard]] Result<DaemonConfig> read_config(const std::filesystem::path& file);
[[nodiscard]] Result<DaemonConfig> parse_config(std::string_view text, const std::filesystem::path& file);

}  // namespace wan::controller
