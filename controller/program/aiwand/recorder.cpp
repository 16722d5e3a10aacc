#include "controller/program/aiwand/recorder.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace wan::controller {

void Recorder::open() {
  store_.reset();  // one connection a file
  const auto seconds = [](Duration time) { return std::chrono::duration_cast<std::chrono::seconds>(time); };
  const DaemonConfig::History& keep = state_.config.history;
  telemetry::HistoryOptions options;
  options.class_count = state_.policies.classes.size();
  options.keep_raw = seconds(keep.raw);
  options.keep_minutes = seconds(keep.minutes);
  options.keep_hours = seconds(keep.hours);
  auto opened = telemetry::HistoryStore::open(state_.config.state / "history.db", state_.topology(), options);
  if (!opened) {
    state_.degraded["history"] = "no history: " + opened.error().message;
    spdlog::error("no history: {}", opened.error().message);
    return;
  }
  state_.degraded.erase("history");
  store_.emplace(*std::move(opened));
}

std::vector<TrafficMatrix> Recorder::newest(std::size_t intervals) {
  if (!store_) return {};
  auto series = store_->newest(intervals);
  if (series) return std::move(series->intervals);
  spdlog::warn("the history cannot be read: {}", series.error().message);
  return {};
}

void Recorder::record(const telemetry::MeasuredInterval& measured) {
  if (store_) store_->record(measured);
}

void Recorder::look(Timestamp now) {
  const std::optional<Error> problem = store_ ? store_->alarm() : std::nullopt;
  if (store_) state_.metrics.set_history(store_->counts(), problem.has_value());
  if (!problem && store_) {
    state_.alarms.clear("history_stopped", "");
    return;
  }
  const std::string text = problem ? problem->message : state_.degraded["history"];
  if (state_.alarms.raise({.kind = "history_stopped", .subject = "", .text = text}, now)) spdlog::error("{}", text);
}

}  // namespace wan::controller
