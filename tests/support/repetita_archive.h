#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::test {

struct RepetitaInstance {
  Topology topology;
  TrafficMatrix demand;
};

/// `../shared/data/repetita/zoo.tar.xz`, unpacked into a temporary folder that goes with this object.
class RepetitaArchive {
 public:
  /// Nothing where the archive is absent (`shared_data` says so) or cannot be unpacked.
  [[nodiscard]] static std::optional<RepetitaArchive> open();
  ~RepetitaArchive();
  RepetitaArchive(RepetitaArchive&& other) noexcept;
  RepetitaArchive& operator=(RepetitaArchive&&) = delete;

  /// `NAME.graph` and `NAME.000SET.demands` are here.
  [[nodiscard]] std::filesystem::path folder() const { return unpacked_ / "zoo"; }
  [[nodiscard]] std::optional<RepetitaInstance> instance(const std::string& name, int set = 0) const;

 private:
  explicit RepetitaArchive(std::filesystem::path unpacked) : unpacked_{std::move(unpacked)} {}
  std::filesystem::path unpacked_;
};

}  // namespace wan::test
