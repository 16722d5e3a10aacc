#include "tests/support/repetita_archive.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "core/io/demand_file.h"
#include "core/io/topology_file.h"
#include "tests/support/shared_data.h"

namespace wan::test {
namespace fs = std::filesystem;

std::optional<RepetitaArchive> RepetitaArchive::open() {
  const auto archive = shared_data("repetita/zoo.tar.xz");
  if (!archive) return std::nullopt;
  RepetitaArchive opened{fs::temp_directory_path() / ("aiwan-repetita-" + std::to_string(::getpid()))};
  fs::create_directories(opened.unpacked_);
  const std::string command = "tar -xJf '" + archive->string() + "' -C '" + opened.unpacked_.string() + "'";
  if (std::system(command.c_str()) != 0) return std::nullopt;
  return opened;
}

RepetitaArchive::RepetitaArchive(RepetitaArchive&& other) noexcept
    : unpacked_{std::exchange(other.unpacked_, fs::path{})} {}

RepetitaArchive::~RepetitaArchive() {
  std::error_code ignored;
  if (!unpacked_.empty()) fs::remove_all(unpacked_, ignored);
}

std::optional<RepetitaInstance> RepetitaArchive::instance(const std::string& name, int set) const {
  auto network = io::read_topology(folder() / (name + ".graph"));
  if (!network) return std::nullopt;
  auto demand = io::read_demands(folder() / (name + ".000" + std::to_string(set) + ".demands"), network->topology);
  if (!demand) return std::nullopt;
  return RepetitaInstance{std::move(network->topology), *std::move(demand)};
}

}  // namespace wan::test
