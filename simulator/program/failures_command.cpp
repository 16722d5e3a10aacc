#include "simulator/program/failures_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/io/json_output.h"
#include "core/io/plan_file.h"
#include "core/io/progress_bar.h"
#include "simulator/program/failure_inputs.h"
#include "simulator/program/failure_report.h"
#include "simulator/program/failure_sweep.h"
#include "simulator/program/rank_group.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
A link fails in both directions. For each failure: the re-optimised plan with its certificate; what precomputed backup
splits reach at once, without re-solving; what rescaling the paths that are left reaches; and which demands are cut off.
Every answer is verified. Started by mpirun, the processes share the failures and the first one prints.
Exit code: 0 done, even if failures disconnect demands (they are named); 1 bad input, and one line on standard error says
what is wrong; 2 wrong usage.

Examples:
  aiwan-sim failures --topology net.graph --demands net.0000.demands
  aiwan-sim failures --topology abilene.graph --demands traffic.csv@120 --exact --node --json -
  aiwan-sim failures --topology network.yaml --demands traffic.csv@0 --srlg --no-link
  mpirun -n 4 aiwan-sim failures --topology Cogentco.graphml --demands gravity:7:0.8 --json failures.json)";

struct FailuresOptions {
  FailureArguments arguments;
  FailureSweepOptions sweep;
  std::string json, out;
  std::size_t rows = 20;
  bool no_link = false;
};

/// All ranks go on, or all end: with the first rank's error, told once.
int settle(const RankGroup& group, const std::optional<Error>& mine) {
  if (group.largest(mine ? 1 : 0) == 0) return 0;
  const auto all = group.gather(mine ? "!" + mine->message : "");
  if (group.rank() != 0) return 1;
  if (!all) {
    std::cerr << "aiwan-sim failures: " << all.error().message << '\n';
    return 1;
  }
  for (const std::string& one : *all) {
    if (one.empty()) continue;
    std::cerr << "aiwan-sim failures: " << one.substr(1) << '\n';
    break;
  }
  return 1;
}

template <typename T>
std::optional<Error> error_in(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error();
}

/// "007.plan.json" for the failure at place 7 of the list.
std::filesystem::path answer_file(const std::string& folder, std::size_t failure, const char* what) {
  const std::string number = std::to_string(failure);
  return std::filesystem::path{folder} /
         (std::string(3 - std::min<std::size_t>(3, number.size()), '0') + number + what);
}

Result<void> write_answer(const std::string& folder, const Topology& topology, const FailureSweep::Answer& answer) {
  const std::size_t failure = answer.outcome.failure;
  auto written = io::write_plan(answer_file(folder, failure, ".plan.json"), topology, answer.replanned);
  if (!written) return written;
  return io::write_plan(answer_file(folder, failure, ".backups.json"), topology, answer.backups);
}

/// The folder and the plan before any failure; rank 0 does this before anybody writes there.
Result<void> begin_folder(const std::string& folder, const Topology& topology, const FailureSweep& sweep) {
  std::error_code refused;
  std::filesystem::create_directories(folder, refused);
  if (refused) return fail(ErrorCode::kIo, folder + ": " + refused.message());
  return io::write_plan(std::filesystem::path{folder} / "base.plan.json", topology, sweep.base_routes());
}

/// Answers the failures of this rank: every size-th one from its number on.
Result<std::vector<FailureOutcome>> answer_own(const FailureInputs& inputs, FailureSweep& sweep, const RankGroup& group,
                                               const std::string& folder, const Clock& clock) {
  std::optional<io::ProgressBar> progress;
  if (group.rank() == 0) progress.emplace("failing", clock);
  std::vector<FailureOutcome> outcomes;
  for (std::size_t f = group.rank(); f < inputs.failures.size(); f += group.size()) {
    auto answer = sweep.answer(inputs.failures[f], f);
    if (!answer) return tl::unexpected{answer.error()};
    if (!folder.empty()) {
      if (auto written = write_answer(folder, inputs.topology, *answer); !written)
        return tl::unexpected{written.error()};
    }
    outcomes.push_back(std::move(answer->outcome));
    if (progress) progress->update(f + 1, inputs.failures.size());
  }
  return outcomes;
}

/// Equal on ranks that do the same job.
std::string job_digest(const FailureInputs& inputs, const FailureSweepOptions& options) {
  Digest digest;
  digest.add(inputs.digest);
  digest.add(options.gap);
  digest.add(std::uint64_t{options.exact});
  return digest.hex();
}

/// On rank 0: the outcomes of all ranks, by failure; elsewhere nothing.
Result<std::vector<FailureOutcome>> gather_outcomes(const FailureInputs& inputs, const RankGroup& group,
                                                    const std::string& digest,
                                                    const std::vector<FailureOutcome>& mine) {
  const auto all = group.gather(digest + pack_outcomes(mine));
  if (!all) return tl::unexpected{all.error()};
  std::vector<FailureOutcome> outcomes(group.rank() == 0 ? inputs.failures.size() : 0);
  for (std::size_t r = 0; r < all->size(); ++r) {
    const std::string& bytes = (*all)[r];
    if (!bytes.starts_with(digest)) {
      return fail(ErrorCode::kBadInput,
                  "rank " + std::to_string(r) + " was given another network, other demands or options");
    }
    auto theirs = unpack_outcomes(std::string_view{bytes}.substr(digest.size()));
    if (!theirs) return tl::unexpected{theirs.error()};
    for (FailureOutcome& outcome : *theirs) {
      if (outcome.failure >= outcomes.size()) return fail(ErrorCode::kInternal, "a rank answers an unknown failure");
      outcomes[outcome.failure] = std::move(outcome);
    }
  }
  return outcomes;
}

int print(const FailuresOptions& options, const FailureInputs& inputs, const FailureReport& report) {
  const io::JsonOutput json{options.json};
  if (const auto written = json.write(failures_json(report).dump(1)); !written) {
    std::cerr << "aiwan-sim failures: " << written.error().message << '\n';
    return 1;
  }
  std::ostream& talk = json.talk();
  for (const std::string& assumption : inputs.assumptions) talk << "note: " << assumption << '\n';
  print_failures(talk, report, options.rows);
  return 0;
}

int run_failures(const FailuresOptions& options, const BestUtilization& best_utilization) {
  const auto group = RankGroup::join();
  if (!group) {
    std::cerr << "aiwan-sim failures: " << group.error().message << '\n';
    return 1;
  }
  const auto inputs = read_failure_inputs(options.arguments, best_utilization);
  if (const int code = settle(*group, error_in(inputs)); code != 0) return code;

  const SteadyClock clock;
  auto sweep = FailureSweep::prepare(inputs->topology, inputs->traffic, options.sweep, clock);
  if (const int code = settle(*group, error_in(sweep)); code != 0) return code;
  Result<void> begun;
  if (!options.out.empty() && group->rank() == 0) begun = begin_folder(options.out, inputs->topology, *sweep);
  if (const int code = settle(*group, error_in(begun)); code != 0) return code;
  const auto mine = answer_own(*inputs, *sweep, *group, options.out, clock);
  if (const int code = settle(*group, error_in(mine)); code != 0) return code;
  auto outcomes = gather_outcomes(*inputs, *group, job_digest(*inputs, options.sweep), *mine);
  if (const int code = settle(*group, error_in(outcomes)); code != 0) return code;
  if (group->rank() != 0) return 0;
  return print(options, *inputs,
               {.topology = inputs->topology,
                .traffic = inputs->traffic,
                .failures = inputs->failures,
                .base = sweep->base(),
                .outcomes = *std::move(outcomes),
                .exact = options.sweep.exact});
}

}  // namespace

void add_failures_command(CLI::App& app, int& exit_code, BestUtilization best_utilization) {
  CLI::App* command =
      app.add_subcommand("failures", "Answer every single failure: re-optimised, at once, and what is cut off");
  auto options = std::make_shared<FailuresOptions>();  // shared by the parser, which fills it, and the callback
  command
      ->add_option("--topology", options->arguments.topology,
                   "network: GraphML, REPETITA .graph, SNDlib XML, node-link JSON or a network description .yaml")
      ->required();
  command->add_option("--demands", options->arguments.demands, std::string{kDemandArgumentHelp})->required();
  command->add_flag("--srlg", options->arguments.srlgs, "fail every shared-risk group too");
  command->add_option("--srlg-file", options->arguments.srlg_file,
                      "shared-risk groups to fail: JSON, {\"group\": [\"A>B\", \"C<>D\"], ...}");
  command->add_flag("--node", options->arguments.nodes, "fail every node too");
  command->add_flag("--no-link", options->no_link, "leave single links out");
  command->add_flag("--exact", options->sweep.exact,
                    "compare with each failure's optimum: an exact linear program, or our solver at 0.01 % where that "
                    "is too large");
  command->add_option("--gap", options->sweep.gap, "re-optimise until no plan can be better by more than this fraction")
      ->check(CLI::Range(1e-6, 1.0))
      ->capture_default_str();
  command->add_option("--threads", options->sweep.threads, "of each process; changes the time, never the result")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--rows", options->rows, "how many of the worst failures to list; 0: all")->capture_default_str();
  command->add_option("--out", options->out,
                      "write every plan and the backup splits to this folder: base.plan.json, then NNN.plan.json and "
                      "NNN.backups.json by the failure's number");
  command->add_option("--json", options->json, "write the result as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, best = std::move(best_utilization), &exit_code] {
    options->arguments.links = !options->no_link;
    exit_code = run_failures(*options, best);
  });
}

}  // namespace wan::simulator
