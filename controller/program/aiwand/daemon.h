#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/program/aiwand/config_file.h"
#include "core/io/network_file.h"
#include "core/result.h"
#include "models/forecaster.h"

namespace wan::controller {

/// The control daemon: bus, traffic matrices, control loop, nodes' programs, state file and API, wired together.
///
/// One loop thread (the caller's, in `run`) owns all state; the bus is its too. HTTP threads hand it requests through a
/// queue, the state file is written on a thread of its own, rehearsals run on a third; docs/architecture.md lists them.
/// Ending leaves the network as it is.
class Daemon {
 public:
  struct Inputs {
    DaemonConfig config;
    io::NetworkDescription network;
    std::unique_ptr<models::Forecaster> model;  ///< null: a baseline forecast
    std::optional<std::string> model_problem;   ///< why there is none though one is configured
    std::function<std::int64_t()> now_ns;       ///< since 1970
  };
  /// Binds the bus and the API, opens the state; nothing is sent yet.
  /// @error what cannot be opened or bound, for the operator
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> make(Inputs inputs);
  ~Daemon();

  /// Serves until `stop`.
  void run();
  /// Threads: any.
  void stop();

  /// Where nodes and TCP clients connect, with the ports that were chosen.
  [[nodiscard]] const std::string& bus_endpoint() const;
  [[nodiscard]] const std::string& api_address() const;

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
