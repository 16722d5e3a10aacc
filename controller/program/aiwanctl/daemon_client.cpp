#include "controller/program/aiwanctl/daemon_client.h"

#include <httplib.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "core/io/message_text.h"
#include "core/io/quantity_text.h"

namespace wan::aiwanctl {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;
constexpr std::string_view kStartIt = "systemctl status aiwand, or name another daemon with --server";

/// Stops a request that is not done in time, however slowly its bytes still drip.
class Deadline {
 public:
  Deadline(httplib::Client& client, Duration timeout)
      : thread_{[this, &client, timeout](const std::stop_token& stop) {
          std::unique_lock lock{mutex_};
          if (done_.wait_for(lock, stop, timeout, [] { return false; }) || stop.stop_requested()) return;
          passed_ = true;
          client.stop();
        }} {}
  /// Ends the watch; whether it had to stop the request.
  [[nodiscard]] bool passed() {
    thread_.request_stop();
    thread_.join();
    return passed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any done_;
  bool passed_ = false;  // written by thread_, read after its end
  std::jthread thread_;  // last: it uses the rest
};

ExitCode exit_code_of(int status) {
  switch (status) {
    case 404:
      return ExitCode::kNotFound;
    case 409:
      return ExitCode::kConflict;
    default:
      return ExitCode::kError;
  }
}

std::string text_or(const Json& value, std::string_view otherwise) {
  return std::string{value.is_string() && !value.get_ref<const std::string&>().empty()
                         ? std::string_view{value.get_ref<const std::string&>()}
                         : otherwise};
}

}  // namespace

struct DaemonClient::Impl {
  Impl(ServerAddress where, Duration limit)
      : address{std::move(where)},
        timeout{limit},
        http{address.socket.empty() ? address.host : address.socket, address.socket.empty() ? address.port : 80} {
    if (!address.socket.empty()) http.set_address_family(AF_UNIX);
    // Deadline ends a request in time; these are longer so that they never win the race against it.
    const auto later = std::chrono::duration_cast<std::chrono::microseconds>(limit + std::chrono::seconds{5});
    http.set_connection_timeout(std::chrono::duration_cast<std::chrono::microseconds>(limit));  // it cannot end this
    http.set_read_timeout(later);
    http.set_write_timeout(later);
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
  }

  [[nodiscard]] std::string name() const {
    if (!address.socket.empty()) return io::joined("unix:", address.socket);
    const bool ipv6 = address.host.find(':') != std::string::npos;
    return io::joined("http://", ipv6 ? "[" : "", address.host, ipv6 ? "]" : "", ":", std::to_string(address.port));
  }

  /// Why nothing could be reached, as far as the file system knows.
  [[nodiscard]] Failure not_reached() const {
    Failure failure{.exit_code = ExitCode::kNotReached,
                    .what = "aiwand is not reachable: the connection was refused",
                    .where = name(),
                    .next = std::string{kStartIt}};
    if (address.socket.empty()) {
      failure.what = "aiwand is not reachable";
      return failure;
    }
    std::error_code error;
    const auto status = std::filesystem::status(address.socket, error);
    if (status.type() == std::filesystem::file_type::not_found) {
      failure.what = "aiwand is not reachable: there is no such socket";
    } else if (error == std::errc::permission_denied || ::access(address.socket.c_str(), W_OK) != 0) {
      failure.what = "aiwand is not reachable: you may not use its socket";
      failure.next = "run this as root, or as a member of the group that owns the socket";
    } else if (status.type() != std::filesystem::file_type::socket) {
      failure.what = "aiwand is not reachable: this is no socket";
    }
    return failure;
  }

  [[nodiscard]] Failure broken_off(httplib::Error error, bool in_time, bool changes) const {
    const bool late = !in_time || error == httplib::Error::ConnectionTimeout;
    if (error == httplib::Error::Connection && !late) return not_reached();
    Failure failure{.exit_code = ExitCode::kNotReached, .what = {}, .where = name(), .next = {}};
    failure.what = late ? std::string{"no answer from aiwand within "}.append(io::format_duration(timeout))
                        : std::string{"aiwand broke off before its answer was whole"};
    failure.next = changes ? "aiwanctl get status tells whether it was carried out"
                   : late  ? "try again with a longer --timeout"
                           : "look into its log: journalctl -u aiwand";
    return failure;
  }

  [[nodiscard]] Failure foreign(const std::string& request, std::string_view what) const {
    return {.exit_code = ExitCode::kError,
            .what = io::joined("the answer is not aiwand's: ", what),
            .where = io::joined(request, " at ", name()),
            .next = "check that --server names an aiwand of this version"};
  }

  [[nodiscard]] Outcome<Json> read_answer(int status, const std::string& body, const std::string& request) const {
    auto document = parse_json(body);
    if (status == 200) {
      if (!document) return failed(foreign(request, "no JSON"));
      if (!document->is_object()) return failed(foreign(request, "no JSON object"));
      return *std::move(document);
    }
    const Json& error = document ? field(*document, "error") : field(Json{}, "");
    if (!error.is_object()) {
      return failed(foreign(request, std::string{"HTTP status "}.append(std::to_string(status))));
    }
    return failed({.exit_code = exit_code_of(status),
                   .what = text_or(field(error, "message"), "aiwand refused and did not say why"),
                   .where = request,
                   .next = text_or(field(error, "next"), "look into its log: journalctl -u aiwand")});
  }

  [[nodiscard]] Outcome<Json> exchange(httplib::Request request) {
    const std::string what = io::joined(request.method, " ", request.path);
    const bool changes = request.method != "GET";
    std::string body;
    bool too_long = false;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      too_long = size > kAnswerBytesMax - body.size();
      if (!too_long) body.append(data, size);
      return !too_long;
    };
    request.headers.emplace("Accept", "application/json");
    Deadline deadline{http, timeout};
    const httplib::Result result = http.send(request);
    const bool late = deadline.passed();
    if (too_long) return failed(foreign(what, "over 64 MiB"));
    if (!result) return failed(broken_off(result.error(), !late, changes));
    return read_answer(result->status, body, what);
  }

  ServerAddress address;
  Duration timeout;
  httplib::Client http;
};

DaemonClient::DaemonClient(ServerAddress address, Duration timeout)
    : impl_{std::make_unique<Impl>(std::move(address), timeout)} {}
DaemonClient::~DaemonClient() = default;
DaemonClient::DaemonClient(DaemonClient&&) noexcept = default;
DaemonClient& DaemonClient::operator=(DaemonClient&&) noexcept = default;

Outcome<Json> DaemonClient::get(const std::string& path) {
  httplib::Request request;
  request.method = "GET";
  request.path = path;
  return impl_->exchange(std::move(request));
}

Outcome<Json> DaemonClient::get_items(const std::string& path) {
  auto answer = get(path);
  if (answer && !field(*answer, "items").is_array()) {
    return failed(impl_->foreign(io::joined("GET ", path), "it has no list of items"));
  }
  return answer;
}

Outcome<Json> DaemonClient::post(const std::string& path, const Json& body) {
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  request.headers.emplace("Content-Type", "application/json");
  return impl_->exchange(std::move(request));
}

std::string path_part(std::string_view name) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string part;
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::isalnum(byte) != 0 || character == '-' || character == '_' || character == '.' || character == '~') {
      part += character;
    } else {
      part.append("%").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  return part;
}

}  // namespace wan::aiwanctl
