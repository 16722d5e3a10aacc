#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "controller/program/aiwanctl/commands.h"
#include "controller/program/aiwanctl/top_frame.h"
#include "core/time.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kTopExamples = R"(
A live table of the links, the busiest first, redrawn after every interval of the daemon (or --interval); q quits.
Without a terminal it is written once. The daemon may go away and come back meanwhile.

Examples:
  aiwanctl top
  aiwanctl top --once)";

struct TopOptions {
  std::string interval;
  bool once = false;
};

volatile std::sig_atomic_t stop_wanted = 0;  // set by SIGINT, SIGTERM and SIGHUP, read by the loop

extern "C" void want_stop(int) { stop_wanted = 1; }
extern "C" void wake_up(int) {}  // SIGWINCH: only ends the wait

/// The terminal without echo and line editing, on its second screen; as it was when this ends.
class LiveScreen {
 public:
  explicit LiveScreen(std::ostream& out) : out_{out} {
    ::sigemptyset(&while_waiting_);
    sigset_t held;
    ::sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
      ::sigaddset(&held, signal);
      struct sigaction action {};
      action.sa_handler = signal == SIGWINCH ? wake_up : want_stop;
      ::sigaction(signal, &action, nullptr);
    }
    ::sigprocmask(SIG_BLOCK, &held, &while_waiting_);
    has_keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (has_keys_) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    out_ << "\x1b[?1049h\x1b[?25l" << std::flush;
  }
  ~LiveScreen() {
    out_ << "\x1b[?25h\x1b[?1049l" << std::flush;
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// Over what stands there, line by line, so that nothing flickers.
  void draw(const std::string& frame) {
    std::string picture = "\x1b[H";
    for (const char c : frame) picture.append(c == '\n' ? "\x1b[K\r\n" : std::string(1, c));
    out_ << picture << "\x1b[J" << std::flush;
  }

  [[nodiscard]] static FrameSize size() {
    winsize window{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
    return {.columns = window.ws_col, .rows = static_cast<std::size_t>(std::max<int>(window.ws_row, 2) - 1)};
  }

  /// Waits for a key, a change of the window or the end of `time`. @return false: the user wants to quit
  [[nodiscard]] bool wait(Duration time) {
    pollfd keys{.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    const timespec limit{.tv_sec = time.count() / 1'000'000'000, .tv_nsec = time.count() % 1'000'000'000};
    ::ppoll(&keys, 1, &limit, &while_waiting_);
    if (stop_wanted != 0) return false;
    if (keys.revents == 0) return true;
    std::array<char, 64> typed{};
    const auto count = ::read(STDIN_FILENO, typed.data(), typed.size());
    return count > 0 && std::none_of(typed.begin(), typed.begin() + count, [](char c) { return c == 'q' || c == 'Q'; });
  }

 private:
  std::ostream& out_;
  sigset_t while_waiting_{};
  termios before_{};
  bool has_keys_ = false;
};

/// Asks for everything anew; after a failure the old answers stay, with the reason beside them.
void refresh(DaemonClient& daemon, TopData& data) {
  auto status = daemon.get("/v1/status");
  auto links = status ? daemon.get_items("/v1/links") : Outcome<Json>{failed(status.error())};
  auto newest = links ? daemon.get_items("/v1/decisions?limit=1") : Outcome<Json>{failed(links.error())};
  if (!newest) {
    data.trouble = newest.error();
    return;
  }
  const Json& decisions = items_of(*newest, "items");
  data = TopData{.status = *std::move(status),
                 .links = items_of(*links, "items"),
                 .decision = decisions.empty() ? Json{} : decisions.front(),
                 .trouble = std::nullopt};
}

Duration interval_of(const TopOptions& options, const TopData& data) {
  if (!options.interval.empty()) return duration_of(options.interval);
  const double seconds = std::clamp(number_of(field(data.status, "interval_s")).value_or(1.0), 0.1, 60.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Outcome<ExitCode> top(const TopOptions& options, Session& session) {
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  TopData data;
  refresh(*daemon, data);
  if (data.trouble) return failed(*data.trouble);  // later on it may come back, but it must have been there
  const Look look{.color = session.color, .wide = false};
  if (options.once || ::isatty(STDOUT_FILENO) == 0) {
    constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
    session.out << top_frame(data, look, {.columns = kNoLimit, .rows = kNoLimit});
    return ExitCode::kDone;
  }
  LiveScreen screen{session.out};
  const SteadyClock clock;
  for (Duration drawn = clock.now();;) {
    screen.draw(top_frame(data, look, LiveScreen::size()));
    const Duration rest = drawn + interval_of(options, data) - clock.now();
    if (!screen.wait(std::max(rest, Duration::zero()))) return ExitCode::kDone;
    if (clock.now() - drawn < interval_of(options, data)) continue;  // a key, or the window has another size
    drawn = clock.now();
    refresh(*daemon, data);
  }
}

}  // namespace

void add_top_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("top", "a live table of the links");
  const auto options = std::make_shared<TopOptions>();
  command->add_flag("--once", options->once, "write the table once");
  add_duration_option(*command, "--interval", options->interval, "time between two pictures");
  command->footer(kTopExamples);
  on_call(*command, session, [options, &session] { return top(*options, session); });
}

}  // namespace wan::aiwanctl
