#include "dataplane/program/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace wan::dataplane {
namespace {

tl::unexpected<Error> refused(const std::string& path, int cause) {
  return fail(cause == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
              std::string{path}.append(": ").append(std::strerror(cause)));
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a named pipe must not block
  if (file < 0) return refused(path, errno);
  struct stat facts {};
  void* start = nullptr;
  int cause = 0;
  const bool known = ::fstat(file, &facts) == 0;
  const auto size = known ? static_cast<std::size_t>(facts.st_size) : 0;
  if (!known) {
    cause = errno;
  } else if (S_ISREG(facts.st_mode) && size > 0) {
    start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (start == MAP_FAILED) cause = errno;
  }
  ::close(file);
  if (cause != 0) return refused(path, cause);
  if (!S_ISREG(facts.st_mode)) return fail(ErrorCode::kIo, std::string{path}.append(": not a regular file"));
  return MappedFile{{static_cast<const std::uint8_t*>(start), size}};
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace wan::dataplane
