#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wan::controller {

/// One HTTP request, its body already read as JSON.
struct ApiRequest {
  std::string method;
  std::string path;  ///< decoded, without the query
  std::map<std::string, std::string> query;
  nlohmann::json body;
};

struct ApiResponse {
  int status = 200;
  nlohmann::json body;
  std::string text;  ///< sent in place of `body` when there is a content type
  std::string content_type;
  std::function<ApiResponse()> then{};  ///< the rest, where it takes long or waits for the disk: on the HTTP thread
};

/// The error object of docs/formats/api.md.
[[nodiscard]] inline ApiResponse api_error(int status, std::string_view message, std::string_view next = {}) {
  const std::string_view code = status == 400   ? "bad_request"
                                : status == 404 ? "not_found"
                                : status == 409 ? "conflict"
                                : status == 422 ? "bad_policy"
                                : status == 503 ? "not_ready"
                                                : "internal";
  nlohmann::json error{{"code", code}, {"message", message}};
  if (!next.empty()) error["next"] = next;
  return {.status = status, .body = {{"error", std::move(error)}}, .text = {}, .content_type = {}};
}

/// Hands requests from HTTP threads to the loop thread, which owns the state they ask for.
///
/// Holds kMax requests; beyond, `push` refuses and the client is told to come back.
/// Threads: `push` any; `pop` one.
class RequestQueue {
 public:
  static constexpr std::size_t kMax = 256;

  struct Waiting {
    ApiRequest request;
    std::promise<ApiResponse> answer;
  };

  /// @param wake  called after each push, from the pushing thread
  explicit RequestQueue(std::function<void()> wake) : wake_{std::move(wake)} {}

  [[nodiscard]] std::optional<std::future<ApiResponse>> push(ApiRequest request) {
    std::future<ApiResponse> answer;
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || waiting_.size() >= kMax) return std::nullopt;
      waiting_.push_back({.request = std::move(request), .answer = {}});
      answer = waiting_.back().answer.get_future();
    }
    wake_();
    return answer;
  }
  [[nodiscard]] std::optional<Waiting> pop() {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) return std::nullopt;
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }
  /// From now on nothing is taken, and who waits is told so.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    for (Waiting& at : waiting_) at.answer.set_value(api_error(503, "the daemon is stopping"));
    waiting_.clear();
  }

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  bool closed_ = false;          // guarded by mutex_
};

}  // namespace wan::controller
