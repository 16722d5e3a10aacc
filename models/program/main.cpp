#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "core/huge_page_heap.h"
#include "core/time.h"
#include "models/program/evaluate_command.h"
#include "models/program/train_command.h"

int main(int argc, char** argv) try {
  wan::use_huge_page_heap();
  CLI::App app{"Trains and judges the forecasters of AI WAN"};
  app.name("aiwan-models");
  app.set_version_flag("--version", "aiwan-models " AIWAN_VERSION " (libtorch " AIWAN_TORCH_VERSION ")");
  app.require_subcommand(1);

  const wan::SteadyClock clock;
  int exit_code = 0;
  wan::models::add_train_command(app, clock, exit_code);
  wan::models::add_evaluate_command(app, clock, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& usage) {
    return app.exit(usage) == 0 ? 0 : 2;
  }
  return exit_code;
} catch (const std::exception& failure) {
  std::cerr << "aiwan-models: " << failure.what() << '\n';
  return 1;
}
