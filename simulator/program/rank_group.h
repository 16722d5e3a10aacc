#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wan::simulator {

/// The processes that share one job: those that one `mpirun` started, or this one alone.
///
/// Threads: one owner. Ranks call `largest` and `gather` together, in the same order. Leaves the group on destruction.
class RankGroup {
 public:
  /// Whether mpirun started this process is read from its environment; only then is MPI loaded.
  /// @error kUnsupported: mpirun did, but the library aiwan-mpi.so is not beside the program or in ../lib/aiwan
  /// @error kInternal: MPI does not start
  [[nodiscard]] static Result<RankGroup> join();
  RankGroup(RankGroup&&) noexcept;
  RankGroup& operator=(RankGroup&&) noexcept;
  ~RankGroup();

  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// The largest of what all ranks say, on each of them.
  [[nodiscard]] int largest(int mine) const;
  /// What every rank hands in, by rank; on rank 0 only, elsewhere nothing.
  /// @error kInternal: MPI lost a message
  [[nodiscard]] Result<std::vector<std::string>> gather(std::string_view mine) const;

 private:
  struct Library;
  RankGroup();
  std::unique_ptr<Library> library_;  // none: alone
  std::size_t rank_ = 0;
  std::size_t size_ = 1;
};

}  // namespace wan::simulator
