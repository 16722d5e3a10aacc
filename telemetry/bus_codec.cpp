#include "telemetry/bus_codec.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "telemetry/bus_limits.h"
#include "telemetry/messages/bus.pb.h"
#include "telemetry/wire_shape.h"

namespace wan::telemetry {
namespace {

namespace wire = ::wan::bus::v1;
namespace limits = bus_limits;

// ---- to the wire ----

std::string to_bytes(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.bytes().data()), address.size()};
}

void write(const NodeIdentity& from, wire::NodeIdentity& to) {
  to.set_name(from.name);
  to.set_boot_id(from.boot_id);
}

void write(const IpPrefix& from, wire::Prefix& to) {
  to.set_address(to_bytes(from.address));
  to.set_length(from.length);
}

void write(const NodeHello& from, wire::Hello& to) {
  write(from.node, *to.mutable_node());
  to.set_version(from.version);
  to.set_locator(from.locator);
  to.set_program_epoch(from.program_epoch);
  to.set_program_digest(from.program_digest);
  to.set_installs(from.installs);
  for (const PortState& port : from.ports) {
    wire::PortState& added = *to.add_ports();
    added.set_name(port.name);
    added.set_up(port.up);
    added.set_mtu(port.mtu);
  }
}

void write(const DemandCount& from, wire::DemandCount& to) {
  to.set_traffic_class(static_cast<std::uint32_t>(from.cls.index()));
  to.set_destination(from.destination);
  to.set_bytes(from.bytes);
  to.set_packets(from.packets);
  to.set_dropped_packets(from.dropped_packets);
}

void write(const PortCount& from, wire::PortCount& to) {
  to.set_name(from.name);
  to.set_up(from.up);
  to.set_sent_bytes(from.sent_bytes);
  to.set_sent_packets(from.sent_packets);
  to.set_send_drops(from.send_drops);
  to.set_received_bytes(from.received_bytes);
  to.set_received_packets(from.received_packets);
  to.set_receive_errors(from.receive_errors);
}

void write(const IntervalReport& from, wire::IntervalReport& to) {
  write(from.node, *to.mutable_node());
  to.set_sequence(from.sequence);
  to.set_begin_ns(from.begin_ns);
  to.set_end_ns(from.end_ns);
  to.set_program_epoch(from.program_epoch);
  for (const DemandCount& demand : from.demands) write(demand, *to.add_demands());
  for (const PortCount& port : from.ports) write(port, *to.add_ports());
  for (const DropCount& drop : from.drops) {
    wire::DropCount& added = *to.add_drops();
    added.set_reason(drop.reason);
    added.set_packets(drop.packets);
  }
  to.set_flows(from.flows);
}

void write(const ProgramAck& from, wire::ProgramAck& to) {
  write(from.node, *to.mutable_node());
  to.set_epoch(from.epoch);
  to.set_digest(from.digest);
  to.set_accepted(from.accepted);
  to.set_reason(from.reason);
}

void write(const ProgrammedPath& from, wire::Path& to) {
  to.set_id(from.id);
  to.set_fraction(from.fraction);
  to.set_port(from.port);
  for (const IpAddress& segment : from.segments) to.add_segments(to_bytes(segment));
  for (const std::string& link : from.links) to.add_links(link);
}

void write(const ProgrammedDemand& from, wire::Demand& to) {
  to.set_traffic_class(static_cast<std::uint32_t>(from.cls.index()));
  to.set_destination(from.destination);
  for (const ProgrammedPath& path : from.paths) write(path, *to.add_paths());
  for (const ProgrammedBackup& backup : from.backups) {
    wire::Backup& added = *to.add_backups();
    added.set_failed_port(backup.failed_port);
    for (const ProgrammedPath& path : backup.paths) write(path, *added.add_paths());
  }
}

void write(const SidRoute& from, wire::SidRoute& to) {
  write(from.locator, *to.mutable_locator());
  to.set_port(from.port);
  if (!from.repair) return;
  to.mutable_repair()->set_port(from.repair->port);
  for (const IpAddress& segment : from.repair->segments) to.mutable_repair()->add_segments(to_bytes(segment));
}

void write(const NodeProgram& from, wire::Program& to) {
  to.set_epoch(from.epoch);
  to.set_digest(from.digest);
  for (const ClassRule& rule : from.classes) {
    wire::ClassRule& added = *to.add_classes();
    added.set_traffic_class(static_cast<std::uint32_t>(rule.cls.index()));
    added.mutable_dscps()->assign(rule.dscps.begin(), rule.dscps.end());
  }
  for (const EgressNode& egress : from.egresses) {
    wire::EgressNode& added = *to.add_egresses();
    added.set_name(egress.name);
    added.set_decapsulation_sid(to_bytes(egress.decapsulation_sid));
  }
  for (const PrefixOwner& owner : from.prefixes) {
    wire::PrefixOwner& added = *to.add_prefixes();
    write(owner.prefix, *added.mutable_prefix());
    added.set_node(owner.node);
  }
  for (const SidRoute& route : from.routes) write(route, *to.add_routes());
  for (const AdjacencySid& adjacency : from.adjacencies) {
    wire::AdjacencySid& added = *to.add_adjacencies();
    added.set_sid(to_bytes(adjacency.sid));
    added.set_port(adjacency.port);
  }
  for (const ProgrammedDemand& demand : from.demands) write(demand, *to.add_demands());
}

void write(const ProgramReport& from, wire::ProgramReport& to) {
  write(from.node, *to.mutable_node());
  write(from.program, *to.mutable_program());
}

struct IntoEnvelope {
  wire::Envelope& envelope;
  void operator()(const NodeHello& message) const { write(message, *envelope.mutable_hello()); }
  void operator()(const IntervalReport& message) const { write(message, *envelope.mutable_interval_report()); }
  void operator()(const ProgramAck& message) const { write(message, *envelope.mutable_program_ack()); }
  void operator()(const ProgramReport& message) const { write(message, *envelope.mutable_program_report()); }
  void operator()(const NodeProgram& message) const { write(message, *envelope.mutable_program()); }
  void operator()(const ProgramRequest&) const { envelope.mutable_program_request(); }
};

template <typename Message>
std::string encode_any(const Message& message) {
  google::protobuf::Arena arena;  // thousands of small objects, made and thrown away together
  auto& envelope = *google::protobuf::Arena::CreateMessage<wire::Envelope>(&arena);
  envelope.set_version(kBusVersion);
  std::visit(IntoEnvelope{envelope}, message);
  return envelope.SerializeAsString();
}

// ---- what the bytes may look like ----

// The least size of a path, a backup and the like bounds how many objects some bytes can become.
using Kind = FieldShape::Kind;
constexpr std::size_t kPathBytesMin = 9 + 3 + 6;  // fraction, port, one segment
constexpr FieldShape name_field(std::uint32_t number, std::string_view name) {
  return {.number = number, .name = name, .kind = Kind::kText, .size_min = 1, .size_max = limits::kNameBytes};
}
constexpr FieldShape text_field(std::uint32_t number, std::string_view name, std::size_t size_max) {
  return {.number = number, .name = name, .kind = Kind::kText, .size_max = size_max};
}
constexpr FieldShape address_field(std::uint32_t number, std::string_view name, std::size_t count_max = 1) {
  return {.number = number, .name = name, .kind = Kind::kBytes, .count_max = count_max, .size_min = 4, .size_max = 16};
}
constexpr FieldShape message_field(std::uint32_t number, std::string_view name, const MessageShape& shape,
                                   std::size_t count_max = 1, std::size_t size_min = 0) {
  return {.number = number,
          .name = name,
          .kind = Kind::kMessage,
          .count_max = count_max,
          .size_min = size_min,
          .message = &shape};
}

constexpr std::array kNodeFields{name_field(1, "name")};
constexpr MessageShape kNode{kNodeFields};
constexpr std::array kPortStateFields{name_field(1, "name")};
constexpr MessageShape kPortState{kPortStateFields};
constexpr std::array kHelloFields{message_field(1, "node", kNode), name_field(2, "version"), name_field(3, "locator"),
                                  text_field(5, "program_digest", limits::kNameBytes),
                                  message_field(7, "ports", kPortState, limits::kPorts)};
constexpr MessageShape kHello{kHelloFields};

constexpr std::array kDemandCountFields{name_field(2, "destination")};
constexpr MessageShape kDemandCount{kDemandCountFields};
constexpr std::array kPortCountFields{name_field(1, "name")};
constexpr MessageShape kPortCount{kPortCountFields};
constexpr std::array kDropCountFields{name_field(1, "reason")};
constexpr MessageShape kDropCount{kDropCountFields};
constexpr std::array kReportFields{
    message_field(1, "node", kNode), message_field(6, "demands", kDemandCount, limits::kDemands),
    message_field(7, "ports", kPortCount, limits::kPorts), message_field(8, "drops", kDropCount, limits::kDrops)};
constexpr MessageShape kReport{kReportFields};

constexpr std::array kAckFields{message_field(1, "node", kNode), text_field(3, "digest", limits::kNameBytes),
                                text_field(5, "reason", limits::kTextBytes)};
constexpr MessageShape kAck{kAckFields};

constexpr std::array kPrefixFields{address_field(1, "address")};
constexpr MessageShape kPrefix{kPrefixFields};
constexpr std::array kClassFields{
    FieldShape{.number = 2, .name = "dscps", .kind = Kind::kBytes, .size_max = limits::kClasses}};
constexpr MessageShape kClass{kClassFields};
constexpr std::array kEgressFields{name_field(1, "name"), address_field(2, "decapsulation_sid")};
constexpr MessageShape kEgress{kEgressFields};
constexpr std::array kOwnerFields{message_field(1, "prefix", kPrefix), name_field(2, "node")};
constexpr MessageShape kOwner{kOwnerFields};
constexpr std::array kRepairFields{name_field(1, "port"), address_field(2, "segments", limits::kSegments)};
constexpr MessageShape kRepair{kRepairFields};
constexpr std::array kRouteFields{message_field(1, "locator", kPrefix), name_field(2, "port"),
                                  message_field(3, "repair", kRepair)};
constexpr MessageShape kRoute{kRouteFields};
constexpr std::array kAdjacencyFields{address_field(1, "sid"), name_field(2, "port")};
constexpr MessageShape kAdjacency{kAdjacencyFields};
constexpr std::array kPathFields{name_field(3, "port"), address_field(4, "segments", limits::kSegments),
                                 FieldShape{.number = 5,
                                            .name = "links",
                                            .kind = Kind::kText,
                                            .count_max = limits::kLinks,
                                            .size_min = 1,
                                            .size_max = limits::kLinkNameBytes}};
constexpr MessageShape kPath{kPathFields};
constexpr std::array kBackupFields{name_field(1, "failed_port"),
                                   message_field(2, "paths", kPath, limits::kPaths, kPathBytesMin)};
constexpr MessageShape kBackup{kBackupFields};
constexpr std::array kDemandFields{name_field(2, "destination"),
                                   message_field(3, "paths", kPath, limits::kPaths, kPathBytesMin),
                                   message_field(4, "backups", kBackup, limits::kPorts, kPathBytesMin)};
constexpr MessageShape kDemand{kDemandFields};
constexpr std::array kProgramFields{text_field(2, "digest", limits::kNameBytes),
                                    message_field(3, "classes", kClass, limits::kClasses),
                                    message_field(4, "egresses", kEgress, limits::kEgresses),
                                    message_field(5, "prefixes", kOwner, limits::kPrefixes, 6),
                                    message_field(6, "routes", kRoute, limits::kRoutes),
                                    message_field(7, "adjacencies", kAdjacency, limits::kPorts),
                                    message_field(8, "demands", kDemand, limits::kDemands, kPathBytesMin)};
constexpr MessageShape kProgram{kProgramFields};
constexpr std::array kProgramReportFields{message_field(1, "node", kNode), message_field(2, "program", kProgram)};
constexpr MessageShape kProgramReport{kProgramReportFields};
constexpr MessageShape kNothing{};

constexpr std::array kEnvelopeFields{
    message_field(2, "hello", kHello),     message_field(3, "interval_report", kReport),
    message_field(4, "program_ack", kAck), message_field(5, "program_report", kProgramReport),
    message_field(6, "program", kProgram), message_field(7, "program_request", kNothing)};
constexpr MessageShape kEnvelope{kEnvelopeFields};
static_assert(kProgramFields.size() <= MessageShape::kFieldsMax && kEnvelopeFields.size() <= MessageShape::kFieldsMax);

// ---- from the wire ----

/// What is wrong and where, put together from the inside out.
using Fault = ShapeFault;
template <typename T>
using Read = tl::expected<T, Fault>;

tl::unexpected<Fault> wrong(std::string_view where, std::string_view what) {
  return tl::unexpected<Fault>{Fault{std::string{where}, std::string{what}}};
}
tl::unexpected<Fault> within(std::string_view outer, Fault fault) {
  std::string where{outer};
  if (!fault.where.empty()) where.append(".").append(fault.where);
  return tl::unexpected<Fault>{Fault{std::move(where), std::move(fault.what)}};
}

/// Reads a list's entries one by one.
template <typename Out, typename List>
Read<std::vector<Out>> read_list(const List& list, std::string_view name,
                                 Read<Out> (*read_one)(const typename List::value_type&)) {
  std::vector<Out> out;
  out.reserve(static_cast<std::size_t>(list.size()));
  for (const auto& entry : list) {
    Read<Out> one = read_one(entry);
    if (!one) {
      return within(std::string{name}.append("[").append(std::to_string(out.size())).append("]"),
                    std::move(one.error()));
    }
    out.push_back(*std::move(one));
  }
  return out;
}

/// Whether no two entries have the same key.
template <typename T, typename Key>
bool all_differ(const std::vector<T>& list, Key key) {
  using Value = std::decay_t<std::invoke_result_t<Key, const T&>>;
  std::vector<Value> keys;
  keys.reserve(list.size());
  for (const T& entry : list) keys.push_back(std::invoke(key, entry));
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

/// Whether demands stand in increasing order (class, destination) without repeats.
template <typename T>
bool in_order(const std::vector<T>& demands) {
  return std::adjacent_find(demands.begin(), demands.end(), [](const T& a, const T& b) {
           return std::tie(a.cls, a.destination) >= std::tie(b.cls, b.destination);
         }) == demands.end();
}

bool is_digest(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_drop_word(std::string_view text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

/// The bytes are 4 or 16: the shape has let 4 to 16 pass.
Read<IpAddress> read_address(const std::string& bytes) {
  if (bytes.size() == 4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return IpAddress::v4(v4);
  }
  if (bytes.size() != 16) return wrong({}, "not an address of 4 or 16 bytes");
  std::array<std::uint8_t, 16> v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return IpAddress::v6(v6);
}

Read<IpAddress> read_sid(const std::string& bytes) {
  Read<IpAddress> address = read_address(bytes);
  if (address && !address->is_v6()) return wrong({}, "not an IPv6 address");
  return address;
}

Read<IpPrefix> read_prefix(const wire::Prefix& from) {
  const Read<IpAddress> address = read_address(from.address());
  if (!address) return within("address", address.error());
  if (from.length() > 8 * address->size()) return wrong("length", "beyond the address");
  if (address->masked(from.length()) != *address) return wrong("address", "bits beyond the prefix's length are set");
  return IpPrefix{.address = *address, .length = static_cast<std::uint8_t>(from.length())};
}

Read<TrafficClass> read_class(std::uint32_t index) {
  if (index >= limits::kClasses) return wrong("traffic_class", "above 63");
  return TrafficClass{index};
}

Read<NodeIdentity> read_identity(const wire::NodeIdentity& from) {
  if (from.name().empty()) return wrong("node.name", "absent");
  return NodeIdentity{.name = from.name(), .boot_id = from.boot_id()};
}

Read<PortState> read_port_state(const wire::PortState& from) {
  if (from.name().empty()) return wrong("name", "absent");
  return PortState{.name = from.name(), .up = from.up(), .mtu = from.mtu()};
}

Read<NodeHello> read_hello(const wire::Hello& from) {
  auto node = read_identity(from.node());
  if (!node) return tl::unexpected{node.error()};
  if (from.version().empty()) return wrong("version", "absent");
  const auto locator = IpPrefix::parse(from.locator());
  if (!locator || !locator->address.is_v6()) return wrong("locator", "not an IPv6 prefix");
  const bool no_program = from.program_epoch() == 0 && from.program_digest().empty();
  if (!no_program && !is_digest(from.program_digest())) return wrong("program_digest", "not 16 hexadecimal digits");
  auto ports = read_list<PortState>(from.ports(), "ports", read_port_state);
  if (!ports) return tl::unexpected{ports.error()};
  if (!all_differ(*ports, &PortState::name)) return wrong("ports", "one name twice");
  return NodeHello{.node = *std::move(node),
                   .version = from.version(),
                   .locator = from.locator(),
                   .program_epoch = from.program_epoch(),
                   .program_digest = from.program_digest(),
                   .installs = from.installs(),
                   .ports = *std::move(ports)};
}

/// Sums of many counts must stay within 64 bits.
template <typename... Counts>
bool are_counts(Counts... counts) {
  return ((counts <= limits::kCount) && ...);
}

Read<DemandCount> read_demand_count(const wire::DemandCount& from) {
  const auto cls = read_class(from.traffic_class());
  if (!cls) return tl::unexpected{cls.error()};
  if (from.destination().empty()) return wrong("destination", "absent");
  if (!are_counts(from.bytes(), from.packets(), from.dropped_packets())) return wrong({}, "a count above 2^56");
  return DemandCount{.cls = *cls,
                     .destination = from.destination(),
                     .bytes = from.bytes(),
                     .packets = from.packets(),
                     .dropped_packets = from.dropped_packets()};
}

Read<PortCount> read_port_count(const wire::PortCount& from) {
  if (from.name().empty()) return wrong("name", "absent");
  if (!are_counts(from.sent_bytes(), from.sent_packets(), from.send_drops(), from.received_bytes(),
                  from.received_packets(), from.receive_errors())) {
    return wrong({}, "a count above 2^56");
  }
  return PortCount{.name = from.name(),
                   .up = from.up(),
                   .sent_bytes = from.sent_bytes(),
                   .sent_packets = from.sent_packets(),
                   .send_drops = from.send_drops(),
                   .received_bytes = from.received_bytes(),
                   .received_packets = from.received_packets(),
                   .receive_errors = from.receive_errors()};
}

Read<DropCount> read_drop_count(const wire::DropCount& from) {
  if (!is_drop_word(from.reason())) return wrong("reason", "not a word of a-z, 0-9 and _");
  if (!are_counts(from.packets())) return wrong("packets", "above 2^56");
  return DropCount{.reason = from.reason(), .packets = from.packets()};
}

Read<IntervalReport> read_report(const wire::IntervalReport& from) {
  auto node = read_identity(from.node());
  if (!node) return tl::unexpected{node.error()};
  if (from.begin_ns() < 0 || from.end_ns() <= from.begin_ns() ||
      from.end_ns() - from.begin_ns() > limits::kIntervalNs) {
    return wrong("end_ns", "not after begin_ns, or by over an hour");
  }
  auto demands = read_list<DemandCount>(from.demands(), "demands", read_demand_count);
  if (!demands) return tl::unexpected{demands.error()};
  if (!in_order(*demands)) return wrong("demands", "not in increasing order (class, destination)");
  auto ports = read_list<PortCount>(from.ports(), "ports", read_port_count);
  if (!ports) return tl::unexpected{ports.error()};
  if (!all_differ(*ports, &PortCount::name)) return wrong("ports", "one name twice");
  auto drops = read_list<DropCount>(from.drops(), "drops", read_drop_count);
  if (!drops) return tl::unexpected{drops.error()};
  if (!all_differ(*drops, &DropCount::reason)) return wrong("drops", "one reason twice");
  return IntervalReport{.node = *std::move(node),
                        .sequence = from.sequence(),
                        .begin_ns = from.begin_ns(),
                        .end_ns = from.end_ns(),
                        .program_epoch = from.program_epoch(),
                        .demands = *std::move(demands),
                        .ports = *std::move(ports),
                        .drops = *std::move(drops),
                        .flows = from.flows()};
}

Read<ProgramAck> read_ack(const wire::ProgramAck& from) {
  auto node = read_identity(from.node());
  if (!node) return tl::unexpected{node.error()};
  if (!from.digest().empty() && !is_digest(from.digest())) return wrong("digest", "not 16 hexadecimal digits");
  return ProgramAck{.node = *std::move(node),
                    .epoch = from.epoch(),
                    .digest = from.digest(),
                    .accepted = from.accepted(),
                    .reason = from.reason()};
}

Read<ProgrammedPath> read_path(const wire::Path& from) {
  if (!(from.fraction() > 0.0 && from.fraction() <= 1.0)) return wrong("fraction", "not in (0, 1]");
  if (from.port().empty()) return wrong("port", "absent");
  auto segments = read_list<IpAddress>(from.segments(), "segments", read_sid);
  if (!segments) return tl::unexpected{segments.error()};
  if (segments->empty()) return wrong("segments", "none");
  return ProgrammedPath{.id = from.id(),
                        .fraction = from.fraction(),
                        .port = from.port(),
                        .segments = *std::move(segments),
                        .links = {from.links().begin(), from.links().end()}};
}

/// Paths of a demand or backup: at least one, all in all 1.
template <typename List>
Read<std::vector<ProgrammedPath>> read_paths(const List& from) {
  constexpr double kTolerance = 1e-6;
  auto paths = read_list<ProgrammedPath>(from, "paths", read_path);
  if (!paths) return paths;
  if (paths->empty()) return wrong("paths", "none");
  double sum = 0.0;
  for (const ProgrammedPath& path : *paths) sum += path.fraction;
  if (std::abs(sum - 1.0) > kTolerance) return wrong("paths", "fractions do not sum to 1");
  return paths;
}

Read<ProgrammedBackup> read_backup(const wire::Backup& from) {
  if (from.failed_port().empty()) return wrong("failed_port", "absent");
  auto paths = read_paths(from.paths());
  if (!paths) return tl::unexpected{paths.error()};
  for (const ProgrammedPath& path : *paths) {
    if (path.port == from.failed_port()) return wrong("paths", "one leaves through the failed port");
  }
  return ProgrammedBackup{.failed_port = from.failed_port(), .paths = *std::move(paths)};
}

Read<ProgrammedDemand> read_demand(const wire::Demand& from) {
  const auto cls = read_class(from.traffic_class());
  if (!cls) return tl::unexpected{cls.error()};
  if (from.destination().empty()) return wrong("destination", "absent");
  auto paths = read_paths(from.paths());
  if (!paths) return tl::unexpected{paths.error()};
  auto backups = read_list<ProgrammedBackup>(from.backups(), "backups", read_backup);
  if (!backups) return tl::unexpected{backups.error()};
  if (!all_differ(*backups, &ProgrammedBackup::failed_port)) return wrong("backups", "one port twice");
  return ProgrammedDemand{
      .cls = *cls, .destination = from.destination(), .paths = *std::move(paths), .backups = *std::move(backups)};
}

Read<ClassRule> read_class_rule(const wire::ClassRule& from) {
  constexpr std::uint8_t kDscpMax = 63;
  const auto cls = read_class(from.traffic_class());
  if (!cls) return tl::unexpected{cls.error()};
  ClassRule rule{.cls = *cls, .dscps = {from.dscps().begin(), from.dscps().end()}};
  for (const std::uint8_t dscp : rule.dscps) {
    if (dscp > kDscpMax) return wrong("dscps", "above 63");
  }
  return rule;
}

Read<EgressNode> read_egress(const wire::EgressNode& from) {
  if (from.name().empty()) return wrong("name", "absent");
  const auto sid = read_sid(from.decapsulation_sid());
  if (!sid) return within("decapsulation_sid", sid.error());
  return EgressNode{.name = from.name(), .decapsulation_sid = *sid};
}

Read<PrefixOwner> read_owner(const wire::PrefixOwner& from) {
  const auto prefix = read_prefix(from.prefix());
  if (!prefix) return within("prefix", prefix.error());
  if (from.node().empty()) return wrong("node", "absent");
  return PrefixOwner{.prefix = *prefix, .node = from.node()};
}

Read<SidRoute> read_route(const wire::SidRoute& from) {
  const auto locator = read_prefix(from.locator());
  if (!locator) return within("locator", locator.error());
  if (!locator->address.is_v6()) return wrong("locator", "not IPv6");
  if (from.port().empty()) return wrong("port", "absent");
  SidRoute route{.locator = *locator, .port = from.port(), .repair = {}};
  if (!from.has_repair()) return route;
  if (from.repair().port().empty()) return wrong("repair.port", "absent");
  if (from.repair().port() == from.port()) return wrong("repair.port", "the port that it is to replace");
  auto segments = read_list<IpAddress>(from.repair().segments(), "segments", read_sid);
  if (!segments) return within("repair", segments.error());
  route.repair = SidRoute::Repair{.port = from.repair().port(), .segments = *std::move(segments)};
  return route;
}

Read<AdjacencySid> read_adjacency(const wire::AdjacencySid& from) {
  const auto sid = read_sid(from.sid());
  if (!sid) return within("sid", sid.error());
  if (from.port().empty()) return wrong("port", "absent");
  return AdjacencySid{.sid = *sid, .port = from.port()};
}

/// A DSCP belongs to one class, a class has one rule.
bool rules_agree(const std::vector<ClassRule>& rules) {
  std::vector<std::uint8_t> dscps;
  for (const ClassRule& rule : rules) dscps.insert(dscps.end(), rule.dscps.begin(), rule.dscps.end());
  return all_differ(rules, &ClassRule::cls) && all_differ(dscps, std::identity{});
}

Read<NodeProgram> read_program(const wire::Program& from) {
  const bool none = from.epoch() == 0 && from.digest().empty();
  if (!none && !is_digest(from.digest())) return wrong("digest", "not 16 hexadecimal digits");
  auto classes = read_list<ClassRule>(from.classes(), "classes", read_class_rule);
  if (!classes) return tl::unexpected{classes.error()};
  if (!rules_agree(*classes)) return wrong("classes", "one class or DSCP twice");
  auto egresses = read_list<EgressNode>(from.egresses(), "egresses", read_egress);
  if (!egresses) return tl::unexpected{egresses.error()};
  if (!all_differ(*egresses, &EgressNode::name)) return wrong("egresses", "one name twice");
  auto prefixes = read_list<PrefixOwner>(from.prefixes(), "prefixes", read_owner);
  if (!prefixes) return tl::unexpected{prefixes.error()};
  if (!all_differ(*prefixes, &PrefixOwner::prefix)) return wrong("prefixes", "one prefix twice");
  auto routes = read_list<SidRoute>(from.routes(), "routes", read_route);
  if (!routes) return tl::unexpected{routes.error()};
  if (!all_differ(*routes, &SidRoute::locator)) return wrong("routes", "one locator twice");
  auto adjacencies = read_list<AdjacencySid>(from.adjacencies(), "adjacencies", read_adjacency);
  if (!adjacencies) return tl::unexpected{adjacencies.error()};
  if (!all_differ(*adjacencies, &AdjacencySid::sid)) return wrong("adjacencies", "one SID twice");
  auto demands = read_list<ProgrammedDemand>(from.demands(), "demands", read_demand);
  if (!demands) return tl::unexpected{demands.error()};
  if (!in_order(*demands)) return wrong("demands", "not in increasing order (class, destination)");
  return NodeProgram{.epoch = from.epoch(),
                     .digest = from.digest(),
                     .classes = *std::move(classes),
                     .egresses = *std::move(egresses),
                     .prefixes = *std::move(prefixes),
                     .routes = *std::move(routes),
                     .adjacencies = *std::move(adjacencies),
                     .demands = *std::move(demands)};
}

Read<ProgramReport> read_program_report(const wire::ProgramReport& from) {
  auto node = read_identity(from.node());
  if (!node) return tl::unexpected{node.error()};
  auto program = read_program(from.program());
  if (!program) return within("program", program.error());
  return ProgramReport{.node = *std::move(node), .program = *std::move(program)};
}

Result<void> refuse(const Fault& fault) {
  std::string message{"bus message: "};
  if (!fault.where.empty()) message.append(fault.where).append(": ");
  return fail(ErrorCode::kBadInput, message.append(fault.what));
}

/// Bytes to a parsed envelope of our version and shape.
Result<void> parse_envelope(std::string_view bytes, wire::Envelope& envelope) {
  if (bytes.size() > kBusMessageBytesMax) return refuse({{}, "over the size limit of 16 MiB"});
  const auto version = top_level_number(bytes, wire::Envelope::kVersionFieldNumber);
  if (!version) return refuse({"version", "absent, or the message is cut short or none at all"});
  if (*version != kBusVersion) {
    return fail(ErrorCode::kUnsupported,
                std::string{"bus message: version "}.append(std::to_string(*version)).append(", this is version 1"));
  }
  if (const auto fault = shape_fault(bytes, kEnvelope)) return refuse(*fault);
  constexpr int kNestingMax = 8;  // the deepest: envelope, report, program, demand, backup, path
  google::protobuf::io::CodedInputStream stream{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size())};
  stream.SetRecursionLimit(kNestingMax);
  if (!envelope.MergeFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return refuse({{}, "not as its description says"});
  }
  return {};
}

/// One of the messages, or its fault under the field's name.
template <typename Message, typename T>
Result<Message> deliver(std::string_view field, Read<T> read) {
  if (read) return Message{*std::move(read)};
  return tl::unexpected{refuse(within(field, std::move(read.error())).value()).error()};
}

Result<void> no_such_message() { return refuse({{}, "holds none of the messages for this end"}); }

}  // namespace

bool is_bus_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string encode(const NodeMessage& message) { return encode_any(message); }

std::string encode(const DaemonMessage& message) { return encode_any(message); }

Result<NodeMessage> decode_node_message(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto& envelope = *google::protobuf::Arena::CreateMessage<wire::Envelope>(&arena);
  if (auto parsed = parse_envelope(bytes, envelope); !parsed) return tl::unexpected{parsed.error()};
  switch (envelope.body_case()) {
    case wire::Envelope::kHello:
      return deliver<NodeMessage>("hello", read_hello(envelope.hello()));
    case wire::Envelope::kIntervalReport:
      return deliver<NodeMessage>("interval_report", read_report(envelope.interval_report()));
    case wire::Envelope::kProgramAck:
      return deliver<NodeMessage>("program_ack", read_ack(envelope.program_ack()));
    case wire::Envelope::kProgramReport:
      return deliver<NodeMessage>("program_report", read_program_report(envelope.program_report()));
    default:
      return tl::unexpected{no_such_message().error()};
  }
}

Result<DaemonMessage> decode_daemon_message(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto& envelope = *google::protobuf::Arena::CreateMessage<wire::Envelope>(&arena);
  if (auto parsed = parse_envelope(bytes, envelope); !parsed) return tl::unexpected{parsed.error()};
  switch (envelope.body_case()) {
    case wire::Envelope::kProgram:
      if (envelope.program().epoch() == 0) {
        return tl::unexpected{refuse({"program.epoch", "0: it must rise with every program"}).error()};
      }
      return deliver<DaemonMessage>("program", read_program(envelope.program()));
    case wire::Envelope::kProgramRequest:
      return DaemonMessage{ProgramRequest{}};
    default:
      return tl::unexpected{no_such_message().error()};
  }
}

}  // namespace wan::telemetry
