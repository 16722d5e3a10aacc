// How long aiwanctl takes from being started to having ended: the price of each command, before the daemon's own.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace {

/// Runs the program once without output. @return whether it ended with this exit code
bool run(std::array<const char*, 5> arguments, int exit_code) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, AIWANCTL, &quiet, nullptr, const_cast<char**>(arguments.data()), environ);
  posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  return failed == 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == exit_code;
}

/// What ended children took of the processors, which another job beside this one hardly changes.
double children_cpu_ms() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto ms = [](const timeval& time) {
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_usec);
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

void count_cpu(benchmark::State& state, double before_ms) {
  state.counters["child_cpu_ms"] =
      benchmark::Counter(children_cpu_ms() - before_ms, benchmark::Counter::kAvgIterations);
}

void tell_version(benchmark::State& state) {
  const double before_ms = children_cpu_ms();
  for (auto _ : state) {
    if (!run({AIWANCTL, "--version", nullptr}, 0)) return state.SkipWithError("aiwanctl --version failed");
  }
  count_cpu(state, before_ms);
}

/// All that a command does but for the daemon's part: options, a connection that is refused, the error's line.
void find_no_daemon(benchmark::State& state) {
  const double before_ms = children_cpu_ms();
  for (auto _ : state) {
    if (!run({AIWANCTL, "get", "links", "--server=unix:/nonexistent/aiwand.sock", nullptr}, 4)) {
      return state.SkipWithError("aiwanctl get links did not end with exit code 4");
    }
  }
  count_cpu(state, before_ms);
}

BENCHMARK(tell_version)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(find_no_daemon)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
