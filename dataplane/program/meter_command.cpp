#include "dataplane/program/meter_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "core/io/json_output.h"
#include "core/io/quantity_text.h"
#include "dataplane/flow_table.h"
#include "dataplane/ipfix_writer.h"
#include "dataplane/pcap_reader.h"
#include "dataplane/program/capture_meter.h"
#include "dataplane/program/growing_flow_table.h"
#include "dataplane/program/mapped_file.h"
#include "dataplane/program/udp_sender.h"

namespace wan::dataplane {
namespace {

constexpr const char* kExamples = R"(
A packet is a frame with an IPv4 or IPv6 header within reach: behind VLAN tags, MPLS labels, PPPoE, or on another link
type that is known. A flow is one direction of a 5-tuple (ICMP: type and code for ports; later fragments: ports 0).
ip_bytes are what IP headers claim. Without timeouts a flow has one record, unless the memory is too small for all.

Exit code: 0 the capture was read to its end, whatever it holds; 1 a file cannot be read or written, and one line on
standard error says why (what was read before is still told); 2 wrong usage.

Examples:
  aiwan-dataplane meter --pcap trace.pcap
  aiwan-dataplane meter --pcap trace.pcapng --active-timeout 60 --idle-timeout 15 --ipfix-out flows.ipfix
  aiwan-dataplane meter --pcap trace.pcap --ipfix-udp 127.0.0.1:4739 --json -)";

struct MeterCommand {
  std::string pcap, ipfix_out, ipfix_udp, json;
  std::string memory = "512 MiB";
  std::uint64_t repeat = 1;
  double active_timeout_s = 0.0;
  double idle_timeout_s = 0.0;
  double ipfix_rate = 100'000.0;
  std::size_t ipfix_message_bytes = 1452;
  std::uint32_t observation_domain = 1;
};

int report(const Error& error) {
  std::cerr << "aiwan-dataplane meter: " << error.message << '\n';
  return 1;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::array<std::uint8_t, 16> draw_secret() {
  std::array<std::uint8_t, 16> secret;
  std::random_device system;
  for (auto& byte : secret) byte = static_cast<std::uint8_t>(system());
  return secret;
}

/// IPFIX to a file; its export times are the capture's, so that equal captures give equal files.
class FileExport {
 public:
  FileExport(const std::string& path, std::uint32_t domain)
      : path_{path},
        file_{path, std::ios::binary | std::ios::trunc},
        writer_{{.observation_domain = domain, .message_bytes_max = 32768, .template_interval_ns = 0},
                [this](std::span<const std::uint8_t> message) {
                  file_.write(reinterpret_cast<const char*>(message.data()), std::ssize(message));
                }} {}

  void write(std::span<const FlowRecord> records) {
    for (const FlowRecord& record : records) now_ns_ = std::max(now_ns_, record.last_ns);
    writer_.write(records, now_ns_);
  }

  [[nodiscard]] Result<void> finish() {
    writer_.flush(now_ns_);
    file_.flush();
    if (!file_) return fail(ErrorCode::kIo, std::string{path_}.append(": cannot be written"));
    return {};
  }

  [[nodiscard]] const IpfixWriter& writer() const { return writer_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::int64_t now_ns_ = 0;
  IpfixWriter writer_;
};

/// IPFIX over UDP, no faster than the collector was said to follow: UDP itself would lose what comes faster.
class UdpExport {
 public:
  UdpExport(UdpSender sender, const MeterCommand& options)
      : sender_{std::move(sender)},
        rate_{options.ipfix_rate},
        writer_{{.observation_domain = options.observation_domain, .message_bytes_max = options.ipfix_message_bytes},
                [this](std::span<const std::uint8_t> message) { send(message); }} {}

  void write(std::span<const FlowRecord> records) { writer_.write(records, now_ns()); }
  void finish() { writer_.flush(now_ns()); }
  [[nodiscard]] const IpfixWriter& writer() const { return writer_; }
  [[nodiscard]] std::uint64_t not_sent() const { return not_sent_; }

 private:
  static std::int64_t now_ns() {
    return std::chrono::nanoseconds{std::chrono::system_clock::now().time_since_epoch()}.count();
  }

  void send(std::span<const std::uint8_t> message) {
    const auto due = begun_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                  std::chrono::duration<double>{static_cast<double>(writer_.records()) / rate_});
    const auto now = std::chrono::steady_clock::now();
    if (due > now) {
      std::this_thread::sleep_until(due);
    } else {
      begun_ += now - due;  // time that passed without records gives no right to a burst
    }
    if (!sender_.send(message)) ++not_sent_;
  }

  UdpSender sender_;
  double rate_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::uint64_t not_sent_ = 0;
  IpfixWriter writer_;
};

struct Exports {
  std::optional<FileExport> file;
  std::optional<UdpExport> udp;
};

/// What the command says of a run.
struct Summary {
  CaptureCounters capture;
  FlowTableCounters flows;
  double seconds = 0.0;
  double cpu_seconds = 0.0;
};

nlohmann::ordered_json to_json(const Summary& run, const Exports& exports) {
  nlohmann::ordered_json json{{"packets", run.capture.packets}, {"ip_bytes", run.capture.ip_bytes},
                              {"flows", run.flows.flows},       {"records", run.flows.records},
                              {"seconds", run.seconds},         {"cpu_seconds", run.cpu_seconds},
                              {"not_ip", run.capture.not_ip},   {"malformed", run.capture.malformed},
                              {"evicted", run.flows.evicted}};
  if (run.capture.fault) json["fault"] = run.capture.fault->message;
  if (exports.file) json["ipfix_file"] = {{"messages", exports.file->writer().messages()}};
  if (exports.udp) {
    json["ipfix_udp"] = {{"messages", exports.udp->writer().messages()}, {"not_sent", exports.udp->not_sent()}};
  }
  return json;
}

void tell(std::ostream& talk, const Summary& run, const Exports& exports) {
  const auto row = [&](const char* name, std::uint64_t value) {
    talk << std::left << std::setw(12) << name << std::right << std::setw(16) << value << '\n';
  };
  row("packets", run.capture.packets);
  row("IP bytes", run.capture.ip_bytes);
  row("flows", run.flows.flows);
  row("records", run.flows.records);
  row("not IP", run.capture.not_ip);
  row("malformed", run.capture.malformed);
  talk << std::fixed << std::setprecision(3) << "read in " << run.seconds << " s (" << run.cpu_seconds << " s of CPU";
  if (run.cpu_seconds > 0.0) {
    talk << ", " << std::setprecision(2) << static_cast<double>(run.capture.packets) / run.cpu_seconds / 1e6
         << " million packets a second";
  }
  talk << ")\n";
  if (run.flows.evicted > 0) {
    talk << "note: " << run.flows.evicted << " records were written early because the memory was full, so flows may be "
         << "counted more than once; see --memory\n";
  }
  if (exports.udp && exports.udp->not_sent() > 0) {
    talk << "note: " << exports.udp->not_sent() << " of " << exports.udp->writer().messages()
         << " IPFIX messages could not be sent\n";
  }
}

int run_meter(const MeterCommand& options) {
  const auto began = std::chrono::steady_clock::now();
  const double cpu_began = cpu_seconds();
  const io::JsonOutput json{options.json};
  const auto limit = io::parse_byte_size(options.memory);
  if (!limit || *limit < FlowTable::kMemoryMin) {
    return report({ErrorCode::kBadInput, "--memory: not a size of 4 KiB or more, like 512 MiB"});
  }
  const auto file = MappedFile::open(options.pcap);
  if (!file) return report(file.error());
  auto capture = PcapReader::open(file->bytes(), options.pcap);
  if (!capture) return report(capture.error());
  Exports exports;
  if (!options.ipfix_out.empty()) exports.file.emplace(options.ipfix_out, options.observation_domain);
  if (!options.ipfix_udp.empty()) {
    auto sender = UdpSender::connect(options.ipfix_udp);
    if (!sender) return report(sender.error());
    exports.udp.emplace(*std::move(sender), options);
  }
  const FlowTimeouts timeouts{.active_ns = static_cast<std::int64_t>(options.active_timeout_s * 1e9),
                              .idle_ns = static_cast<std::int64_t>(options.idle_timeout_s * 1e9)};
  auto table = GrowingFlowTable::make(static_cast<std::size_t>(*limit), draw_secret(), timeouts,
                                      [&exports](std::span<const FlowRecord> records) {
                                        if (exports.file) exports.file->write(records);
                                        if (exports.udp) exports.udp->write(records);
                                      });
  if (!table) return report(table.error());
  Summary run;
  run.capture = meter_capture(*capture, options.repeat, *table);
  run.flows = table->counters();
  if (exports.udp) exports.udp->finish();
  if (exports.file) {
    if (const auto written = exports.file->finish(); !written) return report(written.error());
  }
  run.seconds = std::chrono::duration<double>{std::chrono::steady_clock::now() - began}.count();
  run.cpu_seconds = cpu_seconds() - cpu_began;

  if (const auto written = json.write(to_json(run, exports).dump()); !written) return report(written.error());
  if (!json.to_standard_output()) tell(json.talk(), run, exports);
  return run.capture.fault ? report(*run.capture.fault) : 0;
}

}  // namespace

void add_meter_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("meter", "Count the packets and flows of a capture file, and export the flows");
  auto options = std::make_shared<MeterCommand>();  // shared by the parser, which fills it, and the callback
  constexpr double kSecondsMax = 1e9;
  command->add_option("--pcap", options->pcap, "capture to read: pcap or pcapng")->required();
  command->add_option("--repeat", options->repeat, "read it so many times; packets multiply, flows do not")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--ipfix-out", options->ipfix_out, "write the flow records to this file (docs/formats/ipfix.md)");
  command->add_option("--ipfix-udp", options->ipfix_udp, "send the flow records to this collector, host:port");
  command->add_option("--ipfix-rate", options->ipfix_rate, "records a second to the collector at most")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
  command->add_option("--ipfix-message-bytes", options->ipfix_message_bytes, "UDP payload at most, in bytes")
      ->check(CLI::Range(512, 65'507))
      ->capture_default_str();
  command->add_option("--observation-domain", options->observation_domain, "IPFIX observation domain")
      ->capture_default_str();
  command
      ->add_option("--active-timeout", options->active_timeout_s, "seconds after which a flow gets a record; 0: never")
      ->check(CLI::Range(0.0, kSecondsMax))
      ->capture_default_str();
  command->add_option("--idle-timeout", options->idle_timeout_s, "seconds without a packet that end a flow; 0: never")
      ->check(CLI::Range(0.0, kSecondsMax))
      ->capture_default_str();
  command->add_option("--memory", options->memory, "memory for flows at most")->capture_default_str();
  command->add_option("--json", options->json, "write the result as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = run_meter(*options); });
}

}  // namespace wan::dataplane
