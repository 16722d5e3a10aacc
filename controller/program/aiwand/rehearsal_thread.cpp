#include "controller/program/aiwand/rehearsal_thread.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

namespace wan::controller {

RehearsalThread::RehearsalThread() : thread_{[this](const std::stop_token& stop) { serve(stop); }} {}

RehearsalThread::~RehearsalThread() = default;

std::optional<std::future<nlohmann::json>> RehearsalThread::ask(Work work) {
  std::packaged_task<nlohmann::json()> task{std::move(work)};
  auto answer = task.get_future();
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= kQueueMax) return std::nullopt;
    waiting_.push_back(std::move(task));
  }
  wake_.notify_one();
  return answer;
}

void RehearsalThread::serve(const std::stop_token& stop) {
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);  // refused: it then runs as any other thread
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    if (stop.stop_requested()) return;
    auto task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace wan::controller
