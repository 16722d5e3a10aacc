#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wan::controller {

/// The best mixture of given flows of each source: the restricted master problem of column generation, solved by Clp.
///
/// minimise U  such that  sum over columns (share x utilisation of link by the column) <= U for every link,
///                        shares of each source sum to 1.
/// Columns are added between solves, each of which starts from the last basis.
/// Threads: one owner.  Source: Dantzig and Wolfe 1960.
class FlowMaster {
 public:
  struct Entry {
    std::uint32_t link;
    double utilization;  ///< of the link if the whole source followed the column
    bool operator==(const Entry&) const = default;
  };

  FlowMaster(std::size_t source_count, std::size_t link_count);
  ~FlowMaster();
  FlowMaster(const FlowMaster&) = delete;
  FlowMaster& operator=(const FlowMaster&) = delete;

  /// One way in which a source may send all of its traffic. Columns keep the order in which they are added.
  void add_column(std::size_t source, std::span<const Entry> entries);
  /// False when Clp gave up; the shares and duals are then not to be used.
  [[nodiscard]] bool solve();

  [[nodiscard]] std::span<const double> shares() const { return shares_; }  ///< by column
  [[nodiscard]] std::span<const double> duals() const { return duals_; }    ///< by link, >= 0, sum to 1

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<double> shares_, duals_;
};

}  // namespace wan::controller
