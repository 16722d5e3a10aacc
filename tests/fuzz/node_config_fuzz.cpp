#include "dataplane/program/node_config.h"

#include "tests/fuzz/expectations.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using wan::fuzz::expect;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto config = wan::dataplane::parse_node_config(text, "input");
  if (!config) {
    wan::fuzz::expect_good_message(config.error());
    return 0;
  }
  const auto& ports = config->facts.ports;
  expect(!config->facts.name.empty() && !ports.empty() && ports.size() <= wan::dataplane::NodeFacts::kPortsMax,
         "ports");
  expect(config->hello_ports.size() == ports.size() && config->engine.devices.size() == ports.size(), "one a port");
  for (std::size_t port = 0; port < ports.size(); ++port) {
    expect(config->facts.find_port(ports[port].name) == port, "names differ");
    expect(!config->hello_ports[port] || ports[port].is_core(), "hellos go to neighbours");
  }
  for (const auto& fixed : config->fixed_neighbors) expect(ports.at(fixed.port).is_core(), "of a core port");
  const auto table = wan::dataplane::ForwardingTable::compile(config->first_program, config->facts, nullptr);
  expect(table.has_value() || !table.error().message.empty(), "the first program compiles, or says why not");
  return 0;
}
