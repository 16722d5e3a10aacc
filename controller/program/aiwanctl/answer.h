#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace wan::aiwanctl {

/// An answer of the daemon, keys in its order. It comes from outside: whatever reads it must live with any shape, so
/// fields are asked for through the functions below, which never throw.
using Json = nlohmann::ordered_json;

inline constexpr int kJsonDepthMax = 64;

/// Nothing unless the text is one JSON document in UTF-8 of at most `kJsonDepthMax` levels.
[[nodiscard]] std::optional<Json> parse_json(std::string_view text);

/// The field; null when there is no such field, or `object` is no object.
[[nodiscard]] const Json& field(const Json& object, std::string_view key);
/// The field's items; an empty list when it is no list.
[[nodiscard]] const Json& items_of(const Json& object, std::string_view key);
[[nodiscard]] std::optional<double> number_of(const Json& value);
/// True only for `true`.
[[nodiscard]] bool is_true(const Json& value);
/// A scalar as people read it, on one line and without control characters; `-` for null, lists and objects.
[[nodiscard]] std::string shown(const Json& value);
/// The scalars of a list, joined; `-` when there are none.
[[nodiscard]] std::string shown_list(const Json& list, std::string_view separator = ", ");

}  // namespace wan::aiwanctl
