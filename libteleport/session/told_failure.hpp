// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/told_failure.hpp: a failure as another host is told of
// it. This host's report and log have the whole sentence; its paths, devices
// and programs are no other host's business.
//
// Threads: pure functions.

#ifndef LIBTELEPORT_SESSION_TOLD_FAILURE_HPP
#define LIBTELEPORT_SESSION_TOLD_FAILURE_HPP

#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"

namespace teleport {

/// The sentence of FAIL. A failure of this host's system, files or programs
/// becomes its kind alone ("no space is left on that host, whose own log ...");
/// of any other the paths are left out.
[[nodiscard]] std::string told_of(const error& cause);

/// The text with "(a path)" in the place of each absolute path.
[[nodiscard]] std::string without_paths(std::string_view text);

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_TOLD_FAILURE_HPP
