#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "simulator/program/rank_messages.h"

namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 28;  // MPI counts in int
constexpr int kSizeTag = 1;
constexpr int kBytesTag = 2;

int start(int* rank, int* size) {
  if (MPI_Init(nullptr, nullptr) != MPI_SUCCESS) return 1;
  if (MPI_Comm_rank(MPI_COMM_WORLD, rank) != MPI_SUCCESS) return 1;
  return MPI_Comm_size(MPI_COMM_WORLD, size) == MPI_SUCCESS ? 0 : 1;
}

/// Waits asleep: ranks that are done leave the processors to those that are not.
int largest(int mine) {
  int all = mine;
  int done = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Iallreduce(&mine, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &request) != MPI_SUCCESS) return 1;
  while (done == 0) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return 1;
    if (done == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return all;
}

int send_to_first(const char* bytes, std::uint64_t size) {
  if (MPI_Send(&size, 1, MPI_UINT64_T, 0, kSizeTag, MPI_COMM_WORLD) != MPI_SUCCESS) return 1;
  for (std::uint64_t at = 0; at < size; at += kPieceBytes) {
    const int count = static_cast<int>(std::min(kPieceBytes, size - at));
    if (MPI_Send(bytes + at, count, MPI_CHAR, 0, kBytesTag, MPI_COMM_WORLD) != MPI_SUCCESS) return 1;
  }
  return 0;
}

int receive_from(int rank, std::vector<char>& bytes) {
  std::uint64_t size = 0;
  if (MPI_Recv(&size, 1, MPI_UINT64_T, rank, kSizeTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS) return 1;
  bytes.resize(size);
  for (std::uint64_t at = 0; at < size; at += kPieceBytes) {
    const int count = static_cast<int>(std::min(kPieceBytes, size - at));
    if (MPI_Recv(bytes.data() + at, count, MPI_CHAR, rank, kBytesTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) !=
        MPI_SUCCESS) {
      return 1;
    }
  }
  return 0;
}

int gather(const char* bytes, std::uint64_t size,
           void (*deliver)(void* context, int rank, const char* bytes, std::uint64_t size), void* context) {
  int rank = 0;
  int ranks = 1;
  if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS) return 1;
  if (MPI_Comm_size(MPI_COMM_WORLD, &ranks) != MPI_SUCCESS) return 1;
  if (rank != 0) return send_to_first(bytes, size);
  deliver(context, 0, bytes, size);
  std::vector<char> other;
  for (int from = 1; from < ranks; ++from) {
    if (receive_from(from, other) != 0) return 1;
    deliver(context, from, other.data(), other.size());
  }
  return 0;
}

void finish() { MPI_Finalize(); }

}  // namespace

AiwanRankMessages aiwan_rank_messages() {
  return {.start = start, .largest = largest, .gather = gather, .finish = finish};
}
