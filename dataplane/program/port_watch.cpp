#include "dataplane/program/port_watch.h"

#include <algorithm>

namespace wan::dataplane {

PortWatch::PortWatch(const NodeConfig& config, PacketEngine& engine, PortStates& states, LinkWatch links)
    : config_{config}, engine_{engine}, states_{states}, links_{std::move(links)} {
  std::size_t interface = 0;
  for (std::size_t port = 0; port < config.facts.ports.size(); ++port) {
    Port watched;
    if (config.engine.devices[port].kind == PortDevice::Kind::kKernel) watched.interface = interface++;
    if (config.hello_ports[port]) watched.hello.emplace(config.hello);
    ports_.push_back(watched);
  }
}

std::vector<PortWatch::Change> PortWatch::tick(Duration now) {
  (void)links_.poll();
  std::vector<Change> changes;
  const bool send = now >= next_hello_;
  if (send) next_hello_ = now + config_.hello.interval;
  // A worker that stands still for longer is not coming back: silence counts again.
  constexpr auto kHung = std::chrono::seconds{2};
  const Duration polled = engine_.polled_at();
  const Duration listened = now - polled > kHung ? now : std::min(now, polled);
  for (std::size_t port = 0; port < ports_.size(); ++port) {
    Port& watched = ports_[port];
    const bool carrier = !watched.interface || links_.up(*watched.interface);
    bool up = carrier;
    if (watched.hello) {
      const auto seen = engine_.hello_seen(port);
      watched.hello->check(seen.kind, seen.at, listened);
      up = carrier && watched.hello->up();
      if (send && carrier) engine_.send_frame(port, hello_frame(config_.facts.ports[port].mac, watched.hello->heard()));
    }
    if (up == states_.up(port)) continue;
    states_.set(port, up);
    changes.push_back({port, up, carrier && watched.hello ? "hello" : "carrier"});
  }
  return changes;
}

std::uint64_t PortWatch::queue_drops(std::size_t port) {
  return ports_[port].interface ? links_.queue_drops(*ports_[port].interface) : 0;
}

}  // namespace wan::dataplane
