#include "controller/program/aiwanctl/server_address.h"

#include <charconv>
#include <optional>

#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un has 108 bytes, the last one zero
constexpr std::string_view kUnix = "unix:", kHttp = "http://";

tl::unexpected<Failure> refused(std::string_view text, std::string_view why) {
  return failed({.exit_code = ExitCode::kWrongUsage,
                 .what = io::joined(io::in_quotes(text), " is no server: ", why),
                 .where = "--server or AIWAN_SERVER",
                 .next = "give unix:PATH or http://HOST:PORT"});
}

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) return std::nullopt;
  return port;
}

Outcome<ServerAddress> parse_http(std::string_view text) {
  std::string_view rest = text.substr(kHttp.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  ServerAddress address{.socket = {}, .host = {}, .port = 80};
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return refused(text, "the ] of the address is missing");
    address.host = rest.substr(1, end - 1);
    rest = rest.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return refused(text, "only a port may follow the address");
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
  } else {
    const std::size_t colon = rest.find(':');
    has_port = colon != std::string_view::npos;
    address.host = rest.substr(0, colon);
    if (has_port) port = rest.substr(colon + 1);
  }
  if (address.host.empty() || address.host.find_first_of("/?#@ ") != std::string::npos ||
      io::has_control_character(address.host)) {
    return refused(text, "it names no host");
  }
  if (has_port) {
    const auto number = parse_port(port);
    if (!number) return refused(text, "a port is a number from 1 to 65535");
    address.port = *number;
  }
  return address;
}

}  // namespace

Outcome<ServerAddress> parse_server_address(std::string_view text) {
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty()) return refused(text, "the path is missing");
    if (path.size() > kSocketPathMax) return refused(text, "a socket's path has 107 bytes at most");
    if (path.find('\0') != std::string_view::npos) return refused(text, "a path holds no NUL byte");
    return ServerAddress{.socket = std::string{path}, .host = {}, .port = 0};
  }
  if (text.starts_with(kHttp)) return parse_http(text);
  if (text.starts_with("https://")) return refused(text, "aiwand speaks plain HTTP only; put a TLS proxy before it");
  return refused(text, "it starts with neither unix: nor http://");
}

}  // namespace wan::aiwanctl
