#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace wan::dataplane {

/// Tells when every reader has let go of what it read before: each reader passes a quiet point between its bursts.
class QuietPoints {
 public:
  explicit QuietPoints(std::size_t readers) : passed_(readers) {}
  /// The reader holds nothing that it read before.
  // Sequentially consistent, as are the two sides of `Published`: a writer that has not seen this pass has published
  // before it, so that what the reader reads next is the new value.
  void pass(std::size_t reader) { passed_[reader].count.fetch_add(1, std::memory_order_seq_cst); }
  /// A reader that is gone passes all that follow.
  void leave(std::size_t reader) { passed_[reader].gone.store(true, std::memory_order_release); }
  /// Returns once every reader has passed a quiet point since the call began.
  void wait() const {
    for (const Reader& reader : passed_) {
      const std::uint64_t seen = reader.count.load(std::memory_order_seq_cst);
      while (reader.count.load(std::memory_order_acquire) == seen && !reader.gone.load(std::memory_order_acquire)) {
        std::this_thread::sleep_for(std::chrono::microseconds{20});
      }
    }
  }

 private:
  struct alignas(64) Reader {
    std::atomic<std::uint64_t> count{0};
    std::atomic<bool> gone{false};
  };
  std::vector<Reader> passed_;
};

/// A value that one thread replaces whole while others read it (read-copy-update).
///
/// Readers hold what `read` gives them until their next quiet point, no longer.
template <typename T>
class Published {
 public:
  explicit Published(std::unique_ptr<const T> first) : owned_{std::move(first)}, current_{owned_.get()} {}
  [[nodiscard]] const T& read() const { return *current_.load(std::memory_order_seq_cst); }
  /// By the one writer: readers see `next` from now on; returns once nobody reads the value before, which is gone then.
  void replace(std::unique_ptr<const T> next, const QuietPoints& readers) {
    current_.store(next.get(), std::memory_order_seq_cst);
    readers.wait();
    owned_ = std::move(next);
  }

 private:
  std::unique_ptr<const T> owned_;
  std::atomic<const T*> current_;
};

}  // namespace wan::dataplane
