#include "controller/program/aiwand/api_server.h"

#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace wan::controller {
namespace {

using nlohmann::json;

std::string system_reason() { return std::error_code{errno, std::generic_category()}.message(); }

/// Whether somebody listens on the socket file.
bool answers(const std::filesystem::path& file) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, file.c_str(), sizeof address.sun_path - 1);
  const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return connected;
}

/// Makes room for the socket file: its folder, and a stale file of a daemon that was killed.
Result<void> prepare_socket(const std::filesystem::path& file) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  if (error) return fail(ErrorCode::kIo, file.parent_path().string() + ": cannot be made: " + error.message());
  if (!std::filesystem::is_socket(file, error)) return {};
  if (answers(file)) return fail(ErrorCode::kIo, file.string() + ": another daemon listens on this socket");
  std::filesystem::remove(file, error);
  if (error) return fail(ErrorCode::kIo, file.string() + ": a stale socket cannot be removed: " + error.message());
  return {};
}

void give(const ApiResponse& answer, httplib::Response& response) {
  response.status = answer.status;
  if (!answer.content_type.empty()) {
    response.set_content(answer.text, answer.content_type.c_str());
  } else {
    response.set_content(answer.body.dump(-1, ' ', false, json::error_handler_t::replace), "application/json");
  }
}

ApiResponse ask(RequestQueue& queue, const httplib::Request& request) {
  ApiRequest asked{.method = request.method, .path = request.path, .query = {}, .body = json::object()};
  for (const auto& [key, value] : request.params) asked.query.emplace(key, value);
  if (!request.body.empty()) {
    asked.body = json::parse(request.body, nullptr, false);
    if (asked.body.is_discarded() || !asked.body.is_object()) return api_error(400, "the body must be a JSON object");
  }
  auto answer = queue.push(std::move(asked));
  if (!answer) return api_error(503, "too many requests wait, or the daemon is stopping", "try again in a second");
  ApiResponse response = answer->get();
  while (response.then) response = std::function{std::move(response.then)}();
  return response;
}

void add_routes(httplib::Server& server, RequestQueue& queue) {
  const auto handle = [&queue](const httplib::Request& request, httplib::Response& response) {
    try {
      give(ask(queue, request), response);
    } catch (const std::exception& error) {
      give(api_error(500, error.what()), response);
    }
  };
  server.Get(".*", handle);
  server.Post(".*", handle);
  server.set_error_handler(
      httplib::Server::HandlerWithResponse{[](const httplib::Request&, httplib::Response& response) {
        if (!response.body.empty()) return httplib::Server::HandlerResponse::Handled;
        const int status = response.status;
        give(api_error(status == 413 || status < 500 ? 400 : status,
                       status == 413 ? "the body is over 1 MiB" : "the request is malformed or its method not allowed"),
             response);
        return httplib::Server::HandlerResponse::Handled;
      }});
  server.set_payload_max_length(ApiServer::kBodyBytesMax);
  server.set_keep_alive_timeout(2);
  server.set_read_timeout(5);
  server.set_write_timeout(5);
}

}  // namespace

struct ApiServer::Impl {
  explicit Impl(RequestQueue& requests) : queue{requests} {}
  ~Impl() {
    if (unix_server) unix_server->stop();
    if (tcp_server) tcp_server->stop();
    threads.clear();  // joins
    std::error_code ignored;
    if (!socket.empty()) std::filesystem::remove(socket, ignored);
  }
  void serve(httplib::Server& server) {
    threads.emplace_back([&server] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }

  RequestQueue& queue;  // outlives this
  std::filesystem::path socket;
  std::string tcp_address;
  std::unique_ptr<httplib::Server> unix_server, tcp_server;
  std::vector<std::jthread> threads;
};

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
ApiServer::~ApiServer() = default;

const std::string& ApiServer::tcp_address() const { return impl_->tcp_address; }

Result<std::unique_ptr<ApiServer>> ApiServer::start(const DaemonConfig::Api& config, RequestQueue& queue) {
  auto impl = std::make_unique<Impl>(queue);
  if (auto ready = prepare_socket(config.socket); !ready) return tl::unexpected<Error>{ready.error()};
  impl->unix_server = std::make_unique<httplib::Server>();
  impl->unix_server->set_address_family(AF_UNIX);
  add_routes(*impl->unix_server, queue);
  const mode_t mask_before = ::umask(0117);  // 0660 from the first moment
  const bool bound = impl->unix_server->bind_to_port(config.socket.string(), 80);
  const std::string reason = bound ? "" : system_reason();
  ::umask(mask_before);
  if (!bound) return fail(ErrorCode::kIo, config.socket.string() + ": cannot be bound: " + reason);
  impl->socket = config.socket;
  if (config.listen) {
    impl->tcp_server = std::make_unique<httplib::Server>();
    add_routes(*impl->tcp_server, queue);
    int port = config.listen->port;
    if (port == 0) {
      port = impl->tcp_server->bind_to_any_port(config.listen->host);
    } else if (!impl->tcp_server->bind_to_port(config.listen->host, port)) {
      port = -1;
    }
    if (port < 0)
      return fail(ErrorCode::kIo, "api.listen " + config.listen->host + ": cannot be bound: " + system_reason());
    impl->tcp_address = config.listen->host + ":" + std::to_string(port);
    impl->serve(*impl->tcp_server);
  }
  impl->serve(*impl->unix_server);
  return std::unique_ptr<ApiServer>{new ApiServer{std::move(impl)}};
}

}  // namespace wan::controller
