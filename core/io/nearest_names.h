#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace wan::io {

/// `a, b, c`: the names that an operator most likely meant by `word`, nearest first, for the end of a message. Says how
/// many more there are; "none" when there are no names.
///
/// Nearest is by edit distance without regard to case; a name that `word` begins or is part of counts as near. Equally
/// near names keep their order.
[[nodiscard]] std::string nearest_names(std::string_view word, std::span<const std::string> names,
                                        std::size_t shown_max = 10);

}  // namespace wan::io
