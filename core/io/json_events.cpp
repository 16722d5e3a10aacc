#include "core/io/json_events.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

namespace wan::io {
namespace {

constexpr std::size_t kDepthMax = 64;

/// A pointer that leaves word of how far the parser has read.
class TrackedCharacter {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedCharacter(const char* at, const char** reached) : at_{at}, reached_{reached} {}
  reference operator*() const { return *at_; }
  TrackedCharacter& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedCharacter& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// Turns the library's events into the format's, keeping track of places and keys.
class EventAdapter final : public nlohmann::json_sax<nlohmann::json> {
 public:
  EventAdapter(const TextSource& source, JsonFormat& format, const char* const& reached)
      : source_{source}, format_{format}, reached_{reached} {}

  bool null() override { return scalar(JsonScalar{}); }
  bool boolean(bool value) override {
    JsonScalar scalar_value{};
    scalar_value.kind = JsonScalar::Kind::kBoolean;
    scalar_value.boolean = value;
    return scalar(scalar_value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(JsonScalar::Kind::kWhole, static_cast<double>(value), value);
  }
  bool number_integer(number_integer_t value) override {
    return number(JsonScalar::Kind::kNumber, static_cast<double>(value), 0);
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return number(JsonScalar::Kind::kNumber, value, 0);
  }
  bool string(string_t& value) override {
    JsonScalar scalar_value{};
    scalar_value.kind = JsonScalar::Kind::kString;
    scalar_value.text = value;
    return scalar(scalar_value);
  }
  bool binary(binary_t& /*value*/) override { return refuse(source_.fail_at(offset(), "binary data")); }

  bool start_object(std::size_t /*size*/) override { return open(JsonShape::kObject); }
  bool start_array(std::size_t /*size*/) override { return open(JsonShape::kArray); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override;
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception& exception) override;

  [[nodiscard]] const Result<void>& outcome() const { return outcome_; }

 private:
  struct Level {
    int place = 0;
    int key = -1;
    bool key_is_ours = true;
    std::uint32_t keys = 0;
  };

  /// The last byte read: the value's own, or the one after a number, which stands on the same line or ends it.
  [[nodiscard]] std::size_t offset() const {
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(reached_ - source_.text().data() - 1, 0));
  }
  [[nodiscard]] JsonEvent event() const {
    return {.place = levels_.back().place, .key = levels_.back().key, .offset = offset()};
  }
  bool refuse(tl::unexpected<Error> error) {
    outcome_ = std::move(error);
    return false;
  }
  bool number(JsonScalar::Kind kind, double value, std::uint64_t whole) {
    return scalar({.kind = kind, .boolean = false, .whole = whole, .number = value, .text = {}});
  }
  bool scalar(const JsonScalar& value);
  bool open(JsonShape shape);
  bool close();

  const TextSource& source_;
  JsonFormat& format_;
  const char* const& reached_;
  std::vector<Level> levels_{Level{}};
  std::size_t skipped_levels_ = 0;  // open objects and arrays under a key that is not ours
  Result<void> outcome_;
};

bool EventAdapter::scalar(const JsonScalar& value) {
  if (skipped_levels_ > 0 || !levels_.back().key_is_ours) return true;
  auto taken = format_.scalar(event(), value);
  return taken ? true : refuse(error_of(taken));
}

bool EventAdapter::open(JsonShape shape) {
  if (levels_.size() + skipped_levels_ > kDepthMax) {
    return refuse(source_.fail_at(offset(), "nested over ", kDepthMax, " levels deep"));
  }
  if (skipped_levels_ > 0 || !levels_.back().key_is_ours) {
    ++skipped_levels_;
    return true;
  }
  const auto place = format_.open(event(), shape);
  if (!place) return refuse(error_of(place));
  levels_.push_back({.place = *place, .key = -1, .key_is_ours = true, .keys = 0});
  return true;
}

bool EventAdapter::close() {
  if (skipped_levels_ > 0) {
    --skipped_levels_;
    return true;
  }
  auto closed = format_.close(event(), levels_.back().keys);
  if (!closed) return refuse(error_of(closed));
  levels_.pop_back();
  return true;
}

bool EventAdapter::key(string_t& name) {
  if (skipped_levels_ > 0) return true;
  Level& level = levels_.back();
  level.key = format_.key_number(level.place, name);
  level.key_is_ours = level.key >= 0;
  if (!level.key_is_ours) return true;
  const std::uint32_t bit = std::uint32_t{1} << static_cast<unsigned>(level.key);
  if ((level.keys & bit) != 0) return refuse(source_.fail_at(offset(), "key ", in_quotes(name), " appears twice"));
  level.keys |= bit;
  return true;
}

bool EventAdapter::parse_error(std::size_t position, const std::string& /*last_token*/,
                               const nlohmann::json::exception& exception) {
  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error ...; last read: '...'; expected
  // ...": we have our own place, and the token may be the whole text.
  std::string_view what = exception.what();
  const std::size_t column = what.find(", column ");
  const std::size_t prose = column == std::string_view::npos ? what.find("] ") : what.find(": ", column);
  if (prose != std::string_view::npos) what.remove_prefix(prose + 2);
  constexpr std::string_view kTokenBegins = "; last read: ";
  const std::size_t token = std::min(what.find(kTokenBegins), what.size());
  const std::size_t expected = std::min(what.rfind("; expected "), what.size());
  constexpr std::size_t kShown = 100;
  const std::string_view tail = expected > token ? what.substr(expected, kShown) : std::string_view{};

  const std::string_view text = source_.text();
  const std::size_t end = std::min(position, text.size());
  const std::size_t begin = end - std::min<std::size_t>(end, 20);
  return refuse(source_.fail_at(end - std::min<std::size_t>(end, 1), "malformed JSON near ",
                                in_quotes(text.substr(begin, end - begin)), ": ",
                                what.substr(0, std::min(token, kShown)), tail));
}

}  // namespace

Result<void> read_json(const TextSource& source, JsonFormat& format) {
  const std::string_view text = source.text();
  const char* reached = text.data();
  EventAdapter adapter{source, format, reached};
  const TrackedCharacter begin{text.data(), &reached};
  const TrackedCharacter end{text.data() + text.size(), &reached};
  const bool complete = nlohmann::json::sax_parse(begin, end, &adapter);
  if (!adapter.outcome()) return adapter.outcome();
  if (!complete) return source.fail_at(0, "malformed JSON");
  return {};
}

}  // namespace wan::io
