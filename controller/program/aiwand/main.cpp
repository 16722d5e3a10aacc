// aiwand: the control daemon. Reads the configuration, builds the parts, serves until a signal.

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <thread>

#include "controller/program/aiwand/config_file.h"
#include "controller/program/aiwand/daemon.h"
#include "controller/program/aiwand/log_format.h"
#include "controller/program/aiwand/version.h"
#include "controller/program/policy_file.h"
#include "core/huge_page_heap.h"
#include "core/io/text_source.h"
#include "models/forecaster.h"

namespace {

using wan::controller::Daemon;
using wan::controller::DaemonConfig;

constexpr int kWrongUsage = 2;

int refuse(const wan::Error& error) {
  std::cerr << "aiwand: " << error.message << '\n';
  return EXIT_FAILURE;
}

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The configured policies, read only to see that they can be.
wan::Result<void> check_policies(const DaemonConfig& config, const wan::io::NetworkDescription& network) {
  if (!config.policies) return {};
  auto text = wan::io::read_whole_file(*config.policies, wan::io::kMebibyte);
  if (!text) return tl::unexpected<wan::Error>{text.error()};
  auto policies = wan::controller::parse_policies(*text, config.policies->string(), network);
  if (!policies) return tl::unexpected<wan::Error>{policies.error()};
  return {};
}

/// Both signals end the daemon; they are blocked everywhere and waited for here.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  void wait(const std::stop_token& stop, Daemon& daemon) const {
    while (!stop.stop_requested()) {
      const timespec patience{.tv_sec = 0, .tv_nsec = 200'000'000};
      if (sigtimedwait(&set_, nullptr, &patience) > 0) return daemon.stop();
    }
  }

 private:
  sigset_t set_{};
};

int serve(DaemonConfig config, wan::io::NetworkDescription network) {
  const Signals signals;
  std::unique_ptr<wan::models::Forecaster> model;
  std::optional<std::string> model_problem;
  if (config.model) {
    auto loaded = wan::models::load_forecaster(*config.model, network.topology);
    if (loaded) {
      model = *std::move(loaded);
    } else {
      model_problem = loaded.error().message;
      spdlog::warn("no model: {}", *model_problem);
    }
  }
  auto daemon = Daemon::make({.config = std::move(config),
                              .network = std::move(network),
                              .model = std::move(model),
                              .model_problem = std::move(model_problem),
                              .now_ns = wall_clock_ns});
  if (!daemon) return refuse(daemon.error());
  spdlog::info("aiwand {} listens on {}", wan::controller::kDaemonVersion,
               (*daemon)->api_address().empty() ? "its socket" : (*daemon)->api_address());
  const std::jthread waiter{[&](const std::stop_token& stop) { signals.wait(stop, **daemon); }};
  (*daemon)->run();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  CLI::App app{
      "aiwand: the control daemon. Measures, forecasts, plans, and steers the nodes as far as its mode allows."};
  std::string file;
  bool check = false;
  app.add_option("--config", file, "aiwand.yaml; docs/formats/aiwand-config.md tells its keys")->required();
  app.add_flag("--check", check, "read configuration, network and policies, say whether they are good, and end");
  app.set_version_flag("--version", std::string{"aiwand "}.append(wan::controller::kDaemonVersion));
  app.footer(
      "Examples:\n"
      "  aiwand --config /etc/aiwan/aiwand.yaml           serve until SIGTERM\n"
      "  aiwand --config /etc/aiwan/aiwand.yaml --check   before a restart\n"
      "  aiwanctl get nodes                               ask it\n"
      "SIGTERM and SIGINT end it; the network stays as it is and the next start adopts it.\n"
      "Exit status: 0 ended by a signal (or --check: all good), 1 cannot start (one line on standard error), 2 wrong "
      "usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kWrongUsage;
  }
  auto config = wan::controller::read_config(file);
  if (!config) return refuse(config.error());
  auto network = wan::io::read_network(config->network);
  if (!network) return refuse(network.error());
  if (auto policies = check_policies(*config, *network); !policies) return refuse(policies.error());
  if (check) {
    std::cout << file << ": good; " << network->topology.node_count() << " nodes, " << network->topology.link_count()
              << " directed links\n";
    return EXIT_SUCCESS;
  }
  wan::controller::set_up_log(config->log.level, config->log.json);
  return serve(*std::move(config), *std::move(network));
}
