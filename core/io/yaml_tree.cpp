#include "core/io/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

namespace wan::io {
namespace {

std::size_t line_of(const YAML::Mark& mark) { return mark.line < 0 ? 1 : static_cast<std::size_t>(mark.line) + 1; }

YamlValue value_at(const YAML::Mark& mark, YamlValue::Kind kind) {
  YamlValue value;
  value.kind = kind;
  value.line = line_of(mark);
  return value;
}

/// Stops yaml-cpp from inside an event; never leaves this file.
struct Refused : std::exception {
  Refused(std::size_t at, std::string why) : line{at}, message{std::move(why)} {}
  std::size_t line;
  std::string message;
};

/// Builds the tree from yaml-cpp's events. Its parser recurses once a level, so refusing a level here bounds its stack.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    place(value_at(mark, YamlValue::Kind::kEmpty));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{line_of(mark), "aliases are not read"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    YamlValue scalar = value_at(mark, YamlValue::Kind::kScalar);
    scalar.scalar = value;
    place(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] YamlValue take_root() && { return std::move(root_); }

 private:
  /// A list or map that is still being filled, and the key that waits for its value.
  struct Level {
    YamlValue value;
    std::optional<YamlEntry> waiting{};
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) throw Refused{line_of(mark), "anchors are not read"};
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") throw Refused{line_of(mark), "tags are not read"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlValue::Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (levels_.size() == kYamlDepthMax) {
      throw Refused{line_of(mark), "lists and maps nest more than " + std::to_string(kYamlDepthMax) + " deep"};
    }
    if (expects_key()) throw Refused{line_of(mark), "a key must be plain text, not a list or map"};
    levels_.push_back({value_at(mark, kind)});
  }

  void close() {
    YamlValue done = std::move(levels_.back().value);
    levels_.pop_back();
    place(std::move(done));
  }

  [[nodiscard]] bool expects_key() const {
    return !levels_.empty() && levels_.back().value.kind == YamlValue::Kind::kMap && !levels_.back().waiting;
  }

  void place(YamlValue value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (expects_key()) {
      begin_entry(std::move(value));
    } else if (Level& level = levels_.back(); level.waiting) {
      level.waiting->value = std::move(value);
      level.value.entries.push_back(*std::exchange(level.waiting, std::nullopt));
    } else {
      level.value.items.push_back(std::move(value));
    }
  }

  void begin_entry(YamlValue key) {
    if (key.kind != YamlValue::Kind::kScalar) throw Refused{key.line, "a key must be plain text"};
    Level& level = levels_.back();
    const auto same = std::find_if(level.value.entries.begin(), level.value.entries.end(),
                                   [&](const YamlEntry& entry) { return entry.key == key.scalar; });
    if (same != level.value.entries.end()) {
      throw Refused{key.line, in_quotes(key.scalar) + " stands twice, first on line " + std::to_string(same->line)};
    }
    if (level.value.entries.size() == kEntriesMax) {
      throw Refused{key.line, "a map of more than " + std::to_string(kEntriesMax) + " keys"};
    }
    level.waiting = YamlEntry{.key = std::move(key.scalar), .line = key.line, .value = {}};
  }

  static constexpr std::size_t kEntriesMax = 100;  // keeps the search for a repeated key short

  YamlValue root_;
  std::vector<Level> levels_;
};

}  // namespace

tl::unexpected<Error> yaml_error(std::string_view name, std::size_t line, std::string_view key,
                                 std::string_view message) {
  std::string text = on_one_line(name) + ":" + std::to_string(line) + ": ";
  if (!key.empty()) text += on_one_line(key) + ": ";
  return fail(ErrorCode::kBadInput, text + on_one_line(message));
}

Result<YamlValue> parse_yaml(std::string_view text, std::string_view name, std::size_t bytes_max) {
  const auto source = TextSource::open(text, name, bytes_max);
  if (!source) return error_of(source);
  if (!is_utf8(text)) return yaml_error(name, 1, {}, "the file is not UTF-8 text");

  TreeBuilder builder;
  try {
    std::istringstream stream{std::string{source->text()}};
    YAML::Parser parser{stream};
    if (!parser.HandleNextDocument(builder)) return yaml_error(name, 1, {}, "holds no YAML document");
    YamlValue root = std::move(builder).take_root();
    TreeBuilder rest;
    if (parser.HandleNextDocument(rest)) return yaml_error(name, 1, {}, "the file holds more than one YAML document");
    return root;
  } catch (const Refused& refused) {
    return yaml_error(name, refused.line, {}, refused.message);
  } catch (const YAML::Exception& error) {
    return yaml_error(name, line_of(error.mark), {}, "malformed YAML: " + error.msg);
  } catch (const std::exception& error) {
    return yaml_error(name, 1, {}, joined("malformed YAML: ", error.what()));
  }
}

}  // namespace wan::io
