#include "dataplane/forwarding_table.h"

#include <algorithm>

namespace wan::dataplane {

/// Builds one table; the first thing that is wrong ends the building.
class TableCompiler {
 public:
  TableCompiler(const NodeProgram& program, const NodeFacts& node, const ForwardingTable* before)
      : program_{program}, node_{node}, before_{before} {}

  Result<std::unique_ptr<const ForwardingTable>> compile() {
    table_->program_ = program_;
    if (before_ != nullptr) table_->counter_names_ = before_->counter_names_;
    for (const auto step : {&TableCompiler::add_classes, &TableCompiler::add_egresses, &TableCompiler::add_prefixes,
                            &TableCompiler::add_segments, &TableCompiler::add_demands}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected<Error>{done.error()};
    }
    return std::unique_ptr<const ForwardingTable>{std::move(table_)};
  }

 private:
  using Path = ForwardingTable::Path;
  using SidTarget = ForwardingTable::SidTarget;

  Result<void> add_classes() {
    for (const ClassRule& rule : program_.classes) {
      if (rule.cls.index() >= kClassesMax) {
        return fail(ErrorCode::kBadInput, "at most " + std::to_string(kClassesMax) + " traffic classes fit");
      }
      for (const std::uint8_t dscp : rule.dscps) {
        if (dscp > 63) return fail(ErrorCode::kBadInput, "DSCP " + std::to_string(dscp) + " is above 63");
        table_->class_of_dscp_[dscp] = static_cast<std::uint8_t>(rule.cls.index());
      }
    }
    return {};
  }

  Result<void> add_egresses() {
    for (const EgressNode& node : program_.egresses) {
      auto outer = outer_headers({&node.decapsulation_sid, 1});
      if (!outer) return tl::unexpected<Error>{outer.error()};
      const auto counter = counter_of(node.name);
      if (!counter) return tl::unexpected<Error>{counter.error()};
      table_->egresses_.push_back({node.name, *outer, *counter, node.name == node_.name});
    }
    if (find_egress(node_.name) == table_->egresses_.size()) {
      const IpAddress sid = node_.decapsulation_sid();
      const auto counter = counter_of(node_.name);
      if (!counter) return tl::unexpected<Error>{counter.error()};
      table_->egresses_.push_back({node_.name, *outer_headers({&sid, 1}), *counter, true});
    }
    return {};
  }

  Result<void> add_prefixes() {
    std::vector<PrefixTable::Entry> customers, access;
    for (std::size_t port = 0; port < node_.ports.size(); ++port) {
      if (node_.ports[port].is_core()) continue;
      for (const auto& own : node_.ports[port].addresses) {
        const IpPrefix prefix{own.address.masked(own.prefix_length), own.prefix_length};
        access.push_back({prefix, static_cast<std::uint32_t>(port)});
        customers.push_back({prefix, static_cast<std::uint32_t>(find_egress(node_.name))});
      }
    }
    for (const PrefixOwner& owner : program_.prefixes) {
      const std::size_t egress = find_egress(owner.node);
      if (egress == table_->egresses_.size()) {
        return fail(ErrorCode::kBadInput,
                    owner.prefix.to_string().append(" lies behind ").append(owner.node).append(", which is no egress"));
      }
      customers.push_back({owner.prefix, static_cast<std::uint32_t>(egress)});
    }
    table_->customers_ = PrefixTable{customers};
    table_->access_ports_ = PrefixTable{access};
    return {};
  }

  Result<void> add_segments() {
    add_sid({node_.end_sid(), 128}, {.kind = SidTarget::Kind::kEnd, .repair = {}});
    add_sid({node_.decapsulation_sid(), 128}, {.kind = SidTarget::Kind::kDecapsulate, .repair = {}});
    for (const AdjacencySid& adjacency : program_.adjacencies) {
      const auto port = port_named(adjacency.port);
      if (!port) return tl::unexpected<Error>{port.error()};
      add_sid({adjacency.sid, 128}, {.kind = SidTarget::Kind::kAdjacency, .port = *port, .repair = {}});
    }
    add_sid(node_.locator, {.kind = SidTarget::Kind::kUnknown, .repair = {}});
    for (const SidRoute& route : program_.routes) {
      const auto port = port_named(route.port);
      if (!port) return tl::unexpected<Error>{port.error()};
      SidTarget target{.kind = SidTarget::Kind::kRoute, .port = *port, .repair = {}};
      if (route.repair) {
        const auto repair_port = port_named(route.repair->port);
        if (!repair_port) return tl::unexpected<Error>{repair_port.error()};
        target.has_repair = true;
        target.repair_port = *repair_port;
        if (!route.repair->segments.empty()) {
          auto outer = outer_headers(route.repair->segments);
          if (!outer) return tl::unexpected<Error>{outer.error()};
          target.repair = *outer;
        }
      }
      add_sid(route.locator, target);
    }
    table_->sids_ = PrefixTable{sid_entries_};
    return {};
  }

  Result<void> add_demands() {
    table_->demands_.resize(kClassesMax * table_->egresses_.size());
    for (const ProgrammedDemand& demand : program_.demands) {
      const std::size_t egress = find_egress(demand.destination);
      if (egress == table_->egresses_.size() || demand.cls.index() >= kClassesMax) {
        return fail(ErrorCode::kBadInput, "a demand to " + demand.destination + ", which is no egress or class");
      }
      auto entry = demand_entry(demand, egress);
      if (!entry) return tl::unexpected<Error>{entry.error()};
      table_->demands_[demand.cls.index() * table_->egresses_.size() + egress] = std::move(*entry);
    }
    return {};
  }

  Result<std::unique_ptr<ForwardingTable::DemandEntry>> demand_entry(const ProgrammedDemand& demand,
                                                                     std::size_t egress) {
    const ForwardingTable::DemandEntry* before = nullptr;
    if (before_ != nullptr) {
      for (const auto& known : before_->egresses_) {
        if (known.name == table_->egresses_[egress].name) {
          before = before_->demand(static_cast<std::uint8_t>(demand.cls.index()), known);
        }
      }
    }
    auto paths = compiled(demand.paths);
    if (!paths) return tl::unexpected<Error>{paths.error()};
    std::vector<std::uint64_t> ids_before;
    if (before != nullptr) {
      for (const Path& path : before->paths) ids_before.push_back(path.id);
    }
    PathSlots slots{shares(demand.paths), before == nullptr ? nullptr : &before->slots, ids_before};
    auto entry = std::make_unique<ForwardingTable::DemandEntry>(ForwardingTable::DemandEntry{*paths, slots, {}});
    for (const ProgrammedBackup& backup : demand.backups) {
      const auto failed = port_named(backup.failed_port);
      if (!failed) return tl::unexpected<Error>{failed.error()};
      auto others = compiled(backup.paths);
      if (!others) return tl::unexpected<Error>{others.error()};
      entry->backups.push_back({*failed, *others, PathSlots{shares(backup.paths), nullptr, {}}});
    }
    return entry;
  }

  Result<std::vector<Path>> compiled(const std::vector<ProgrammedPath>& paths) const {
    if (paths.empty() || paths.size() > PathSlots::kPathsMax) {
      return fail(ErrorCode::kBadInput, "a demand has no paths, or over " + std::to_string(PathSlots::kPathsMax));
    }
    std::vector<Path> result;
    for (const ProgrammedPath& path : paths) {
      const auto port = port_named(path.port);
      if (!port) return tl::unexpected<Error>{port.error()};
      auto outer = outer_headers(path.segments);
      if (!outer) return tl::unexpected<Error>{outer.error()};
      result.push_back({path.id, *port, *outer});
    }
    return result;
  }

  static std::vector<PathSlots::Share> shares(const std::vector<ProgrammedPath>& paths) {
    std::vector<PathSlots::Share> result;
    for (const ProgrammedPath& path : paths) result.push_back({path.id, path.fraction});
    return result;
  }

  Result<OuterHeaders> outer_headers(std::span<const IpAddress> segments) const {
    if (segments.empty() || segments.size() > kSegmentsMax) {
      return fail(ErrorCode::kBadInput, "a path has no segments, or over " + std::to_string(kSegmentsMax));
    }
    for (const IpAddress& segment : segments) {
      if (!segment.is_v6()) return fail(ErrorCode::kBadInput, segment.to_string() + " is no segment");
    }
    return OuterHeaders{node_.end_sid().bytes(), segments};
  }

  Result<std::uint16_t> port_named(const std::string& name) const {
    const auto port = node_.find_port(name);
    if (!port) return fail(ErrorCode::kBadInput, "this node has no port " + name);
    if (!node_.ports[*port].is_core()) {
      return fail(ErrorCode::kBadInput, "port " + name + " leads to hosts, not to a node of the network");
    }
    return static_cast<std::uint16_t>(*port);
  }

  Result<std::uint32_t> counter_of(const std::string& name) {
    auto& names = table_->counter_names_;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::uint32_t>(found - names.begin());
    if (names.size() == kEgressesMax) {
      return fail(ErrorCode::kBadInput, "at most " + std::to_string(kEgressesMax) + " egress nodes can be counted");
    }
    names.push_back(name);
    return static_cast<std::uint32_t>(names.size() - 1);
  }

  std::size_t find_egress(const std::string& name) const {
    std::size_t at = 0;
    while (at < table_->egresses_.size() && table_->egresses_[at].name != name) ++at;
    return at;
  }

  void add_sid(const IpPrefix& prefix, const SidTarget& target) {
    sid_entries_.push_back({prefix, static_cast<std::uint32_t>(table_->sid_targets_.size())});
    table_->sid_targets_.push_back(target);
  }

  const NodeProgram& program_;
  const NodeFacts& node_;
  const ForwardingTable* before_;
  std::unique_ptr<ForwardingTable> table_{new ForwardingTable};
  std::vector<PrefixTable::Entry> sid_entries_;
};

Result<std::unique_ptr<const ForwardingTable>> ForwardingTable::compile(const NodeProgram& program,
                                                                        const NodeFacts& node,
                                                                        const ForwardingTable* before) {
  return TableCompiler{program, node, before}.compile();
}

const ForwardingTable::Egress* ForwardingTable::egress_of(std::span<const std::uint8_t> address) const {
  const auto found = customers_.find(address);
  return found ? &egresses_[*found] : nullptr;
}

const ForwardingTable::DemandEntry* ForwardingTable::demand(std::uint8_t cls, const Egress& egress) const {
  const auto at = static_cast<std::size_t>(&egress - egresses_.data());
  return demands_[cls * egresses_.size() + at].get();
}

const ForwardingTable::SidTarget* ForwardingTable::sid_target(std::span<const std::uint8_t> address) const {
  const auto found = sids_.find(address);
  return found ? &sid_targets_[*found] : nullptr;
}

}  // namespace wan::dataplane
