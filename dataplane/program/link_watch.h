#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace wan::dataplane {

/// What the kernel says of network interfaces: carrier, as it changes, and what their queueing disciplines dropped.
///
/// Threads: one owner.
class LinkWatch {
 public:
  /// @param interfaces  by name; all must exist
  /// @error kNotFound: an interface that does not exist; kIo: no netlink socket
  [[nodiscard]] static Result<LinkWatch> open(const std::vector<std::string>& interfaces);
  ~LinkWatch();
  LinkWatch(LinkWatch&& other) noexcept;
  LinkWatch& operator=(LinkWatch&&) = delete;

  /// Takes in what has been told since; never waits.
  /// @return  whether some interface went up or down
  bool poll();
  /// Administratively up, with carrier; by position in `interfaces`.
  [[nodiscard]] bool up(std::size_t interface) const { return interfaces_[interface].up; }
  /// Packets that queueing disciplines of an interface have dropped since it exists; the last known number when the
  /// kernel does not answer.
  [[nodiscard]] std::uint64_t queue_drops(std::size_t interface);

 private:
  struct Interface {
    int index = 0;
    bool up = false;
    std::uint64_t queue_drops = 0;  ///< as last told
  };
  LinkWatch() = default;
  bool take(const char* bytes, std::size_t size);
  [[nodiscard]] Result<void> ask_for_links();

  int events_ = -1;   // netlink socket in the group of link changes
  int queries_ = -1;  // for questions with an answer
  std::vector<Interface> interfaces_;
};

}  // namespace wan::dataplane
