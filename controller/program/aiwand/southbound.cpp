#include "controller/program/aiwand/southbound.h"

#include <algorithm>
#include <utility>

namespace wan::controller {

Southbound::Southbound(const Topology& topology, std::vector<bool> managed)
    : managed_{std::move(managed)},
      boot_ids_(topology.node_count(), 0),
      programs_(topology.node_count()),
      deliveries_(topology.node_count()) {
  for (const Node& node : topology.nodes()) names_.push_back(node.name);
}

void Southbound::install(telemetry::DaemonBus& bus, std::vector<NodeProgram> by_node, std::int64_t now_ns) {
  programs_ = std::move(by_node);
  deliveries_.assign(names_.size(), {});
  must_renumber_ = false;
  begun_ns_ = now_ns;
  for (std::size_t n = 0; n < names_.size(); ++n) {
    if (!managed_[n] || programs_[n].epoch == 0) continue;
    epoch_ = programs_[n].epoch;
    digest_ = programs_[n].digest;
    send(bus, n, now_ns);
  }
}

void Southbound::adopt(std::vector<NodeProgram> by_node, std::uint64_t epoch, const std::string& digest) {
  programs_ = std::move(by_node);
  deliveries_.assign(names_.size(), {});
  must_renumber_ = false;
  epoch_ = epoch;
  digest_ = digest;
}

void Southbound::send(telemetry::DaemonBus& bus, std::size_t node, std::int64_t now_ns) {
  deliveries_[node].sent_ns = now_ns;
  bus.send(names_[node], programs_[node]);
}

void Southbound::meet(telemetry::DaemonBus& bus, NodeId node, const NodeEntry& entry, std::int64_t now_ns) {
  std::uint64_t& boot = boot_ids_[node.index()];
  const bool restarted = boot != 0 && boot != entry.boot_id;
  boot = entry.boot_id;
  if (epoch_ == 0 || !managed_[node.index()] || programs_[node.index()].epoch == 0) return;
  Delivery& delivery = deliveries_[node.index()];
  if (entry.digest == digest_ && entry.epoch <= epoch_ && entry.epoch > 0) {
    // Equal content under an older number is what the daemon found when it adopted the plan: nothing to install.
    if (entry.epoch == epoch_ || delivery.sent_ns == 0) delivery.acknowledged = true;
  } else {
    delivery.acknowledged = false;
  }
  if (delivery.acknowledged) return;
  if (entry.epoch >= epoch_) {
    must_renumber_ = true;
    return;
  }
  const bool overdue = now_ns - delivery.sent_ns >= kAnswerWithin_ns;
  if (overdue || restarted) send(bus, node.index(), now_ns);
}

Southbound::Answer Southbound::take(NodeId node, const ProgramAck& ack, std::int64_t now_ns) {
  Delivery& delivery = deliveries_[node.index()];
  if (ack.epoch != epoch_ || ack.digest != digest_ || delivery.acknowledged)
    return {};  // of an older plan, or a repeat
  if (!ack.accepted) return {.refused = true};
  delivery.acknowledged = true;
  delivery.acknowledged_ns = now_ns;
  return {.complete_now = waiting().empty()};
}

std::vector<NodeId> Southbound::overdue(std::int64_t now_ns, Duration patience) const {
  std::vector<NodeId> late;
  for (std::size_t n = 0; n < names_.size(); ++n) {
    if (!managed_[n] || programs_[n].epoch == 0 || deliveries_[n].acknowledged) continue;
    if (begun_ns_ != 0 && now_ns - begun_ns_ >= patience.count()) late.push_back(NodeId{n});
  }
  return late;
}

std::optional<Duration> Southbound::round_time() const {
  std::int64_t last = 0;
  for (std::size_t n = 0; n < names_.size(); ++n) {
    if (!managed_[n] || programs_[n].epoch == 0) continue;
    if (!deliveries_[n].acknowledged) return std::nullopt;
    last = std::max(last, deliveries_[n].acknowledged_ns);
  }
  if (last == 0 || begun_ns_ == 0) return std::nullopt;
  return Duration{last - begun_ns_};
}

std::vector<std::string> Southbound::names(bool acknowledged) const {
  std::vector<std::string> found;
  for (std::size_t n = 0; n < names_.size(); ++n) {
    if (managed_[n] && programs_[n].epoch > 0 && deliveries_[n].acknowledged == acknowledged)
      found.push_back(names_[n]);
  }
  return found;
}

}  // namespace wan::controller
