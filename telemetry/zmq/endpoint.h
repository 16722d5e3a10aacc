#pragma once

#include <string>

#include "core/result.h"

namespace wan::telemetry {

/// Makes sure that an endpoint can be bound without taking it from somebody: the folder of an `ipc://` socket exists,
/// and a socket file there is removed if nobody listens on it any more (a killed daemon leaves one).
///
/// @error kBadInput: neither `tcp://...` nor `ipc://...`, or a path that a socket cannot have; kNotFound: no such
///        folder; kIo: somebody listens there, or the file is no socket
[[nodiscard]] Result<void> prepare_endpoint(const std::string& endpoint);

/// @error kBadInput: neither `tcp://...` nor `ipc://...`
[[nodiscard]] Result<void> check_endpoint(const std::string& endpoint);

}  // namespace wan::telemetry
