#include "simulator/program/rank_group.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "simulator/program/rank_messages.h"

namespace wan::simulator {
namespace {

constexpr const char* kLibraryName = "aiwan-mpi.so";

bool started_by_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr;
}

/// Beside the program as built, or below the prefix as installed.
std::filesystem::path library_file() {
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::array<std::filesystem::path, 2> places{folder / kLibraryName,
                                                    folder / ".." / "lib" / "aiwan" / kLibraryName};
  for (const auto& place : places) {
    if (std::filesystem::exists(place, ignored)) return place;
  }
  return {};
}

}  // namespace

struct RankGroup::Library {
  AiwanRankMessages messages;
  ~Library() { messages.finish(); }
};

RankGroup::RankGroup() = default;
RankGroup::RankGroup(RankGroup&&) noexcept = default;
RankGroup& RankGroup::operator=(RankGroup&&) noexcept = default;
RankGroup::~RankGroup() = default;

Result<RankGroup> RankGroup::join() {
  RankGroup group;
  if (!started_by_mpirun()) return group;
  const std::filesystem::path file = library_file();
  if (file.empty()) {
    return fail(ErrorCode::kUnsupported, std::string{"started by mpirun, but "} + kLibraryName +
                                             " is neither beside the program nor in ../lib/aiwan");
  }
  // Stays loaded until the process ends: MPI does not like to be unloaded. Its plugins look for its symbols.
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) return fail(ErrorCode::kUnsupported, std::string{"MPI cannot be loaded: "} + ::dlerror());
  const auto entry = reinterpret_cast<decltype(&aiwan_rank_messages)>(::dlsym(handle, "aiwan_rank_messages"));
  if (entry == nullptr) return fail(ErrorCode::kInternal, file.string() + " is not of this program");
  const AiwanRankMessages messages = entry();
  int rank = 0;
  int size = 1;
  if (messages.start(&rank, &size) != 0) return fail(ErrorCode::kInternal, "MPI does not start");
  group.library_.reset(new Library{messages});
  group.rank_ = static_cast<std::size_t>(rank);
  group.size_ = static_cast<std::size_t>(size);
  return group;
}

int RankGroup::largest(int mine) const { return library_ ? library_->messages.largest(mine) : mine; }

Result<std::vector<std::string>> RankGroup::gather(std::string_view mine) const {
  std::vector<std::string> all;
  if (!library_) {
    all.emplace_back(mine);
    return all;
  }
  const auto deliver = [](void* context, int, const char* bytes, std::uint64_t size) {
    static_cast<std::vector<std::string>*>(context)->emplace_back(bytes, size);
  };
  if (library_->messages.gather(mine.data(), mine.size(), deliver, &all) != 0) {
    return fail(ErrorCode::kInternal, "MPI lost a message between ranks");
  }
  return all;
}

}  // namespace wan::simulator
