#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"

namespace wan::controller {

struct Alarm {
  std::uint64_t id = 0;
  Timestamp since;
  Timestamp last;
  bool critical = false;
  std::string kind;     ///< a fixed word: "node_silent"
  std::string subject;  ///< what it is about: a node, a link; empty: the daemon
  std::string text;
  std::uint64_t count = 0;  ///< times it was raised since it began
};

/// What is wrong at present. An alarm is told by kind and subject: raised again it counts up, cleared it is gone.
///
/// Threads: one owner.
class AlarmList {
 public:
  struct Raise {
    std::string kind;
    std::string subject;
    std::string text;
    bool critical = false;
  };
  /// @return  whether it is new
  bool raise(const Raise& what, Timestamp now) {
    const auto [at, fresh] = by_key_.try_emplace(std::pair{what.kind, what.subject});
    Alarm& alarm = at->second;
    if (fresh) {
      alarm = {.id = ++last_id_,
               .since = now,
               .last = now,
               .critical = what.critical,
               .kind = what.kind,
               .subject = what.subject,
               .text = {},
               .count = 0};
    }
    if (fresh && on_new) on_new(alarm);
    alarm.last = now;
    alarm.text = what.text;
    ++alarm.count;
    return fresh;
  }
  bool clear(const std::string& kind, const std::string& subject) { return by_key_.erase({kind, subject}) > 0; }
  /// Clears those of a kind that were last raised before `now`.
  void clear_older(const std::string& kind, Timestamp now) {
    std::erase_if(by_key_, [&](const auto& entry) { return entry.first.first == kind && entry.second.last < now; });
  }

  /// Called with each alarm that begins.
  std::function<void(const Alarm&)> on_new;

  [[nodiscard]] std::size_t size() const { return by_key_.size(); }
  [[nodiscard]] std::vector<Alarm> all() const {
    std::vector<Alarm> alarms;
    for (const auto& entry : by_key_) alarms.push_back(entry.second);
    return alarms;
  }

 private:
  std::map<std::pair<std::string, std::string>, Alarm> by_key_;
  std::uint64_t last_id_ = 0;
};

}  // namespace wan::controller
