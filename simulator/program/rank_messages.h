#pragma once

#include <cstdint>

// What the library aiwan-mpi.so gives to aiwan-sim. It alone is linked with MPI and is loaded only where mpirun started
// the process, so that a run without mpirun neither needs MPI nor waits for it.

extern "C" {

struct AiwanRankMessages {
  /// Joins the other processes. Not 0: MPI failed.
  int (*start)(int* rank, int* size);
  /// The largest of the values that all ranks give, on every rank.
  int (*largest)(int mine);
  /// Hands the bytes of every rank, in the order of ranks, to `deliver` on rank 0; all ranks call it together.
  int (*gather)(const char* bytes, std::uint64_t size,
                void (*deliver)(void* context, int rank, const char* bytes, std::uint64_t size), void* context);
  void (*finish)();
};

/// The one symbol of the library.
AiwanRankMessages aiwan_rank_messages();
}
