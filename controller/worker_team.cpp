#include "controller/worker_team.h"

namespace wan::controller {

WorkerTeam::WorkerTeam(std::size_t threads) {
  for (std::size_t member = 1; member < threads; ++member) {
    members_.emplace_back([this, member] { serve(member); });
  }
}

WorkerTeam::~WorkerTeam() {
  stopping_ = true;
  ++job_;
  job_.notify_all();
}

void WorkerTeam::run(const std::function<void(std::size_t)>& work) {
  if (!members_.empty()) {
    work_ = &work;
    unfinished_ = members_.size();
    ++job_;
    job_.notify_all();
  }
  work(0);
  for (std::size_t left = unfinished_; left > 0; left = unfinished_) unfinished_.wait(left);
}

void WorkerTeam::serve(std::size_t member) {
  std::uint32_t seen = 0;
  for (;;) {
    job_.wait(seen);
    seen = job_;
    if (stopping_) return;
    (*work_)(member);
    if (--unfinished_ == 0) unfinished_.notify_all();
  }
}

}  // namespace wan::controller
