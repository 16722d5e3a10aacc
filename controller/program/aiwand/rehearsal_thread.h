#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <thread>

namespace wan::controller {

/// Runs what-if questions one after the other, and only when the machine has nothing better to do.
///
/// Holds kQueueMax questions; beyond, the newest is refused.
/// Threads: `ask` any; the work is done on its own thread, at the lowest priority the system has.
class RehearsalThread {
 public:
  static constexpr std::size_t kQueueMax = 8;
  using Work = std::function<nlohmann::json()>;

  RehearsalThread();
  ~RehearsalThread();
  RehearsalThread(const RehearsalThread&) = delete;
  RehearsalThread& operator=(const RehearsalThread&) = delete;

  /// @return  nothing when the queue is full; the future throws what the work throws, or broken_promise at the end
  [[nodiscard]] std::optional<std::future<nlohmann::json>> ask(Work work);

 private:
  void serve(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::packaged_task<nlohmann::json()>> waiting_;  // guarded by mutex_
  std::jthread thread_;                                       // last: stops first
};

}  // namespace wan::controller
