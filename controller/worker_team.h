#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace wan::controller {

/// Threads that wait for pieces of one job after another, for work that is split many times a second.
///
/// Threads: owns `threads - 1` of them for its lifetime; `run` is called by one owner, who does its share.
class WorkerTeam {
 public:
  explicit WorkerTeam(std::size_t threads);
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  [[nodiscard]] std::size_t size() const { return members_.size() + 1; }

  /// Calls `work(member)` for every member number, 0 being the caller; returns when all are done.
  void run(const std::function<void(std::size_t)>& work);

 private:
  void serve(std::size_t member);

  std::atomic<std::uint32_t> job_{0};       // counts jobs; a change wakes the members
  std::atomic<std::size_t> unfinished_{0};  // members still at the present job
  std::atomic<bool> stopping_{false};
  const std::function<void(std::size_t)>* work_ = nullptr;  // of the present job; set before job_ changes
  std::vector<std::jthread> members_;
};

}  // namespace wan::controller
