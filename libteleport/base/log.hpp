// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/log.hpp: one line per event, on standard error or in the
// journal (systemd adds the time there).
//
// Threads: any thread, at any time after log_setup().

#ifndef LIBTELEPORT_BASE_LOG_HPP
#define LIBTELEPORT_BASE_LOG_HPP

#include <string_view>

namespace teleport {

enum class log_level { debug, info, warning, error };

/// Chooses what is written. Call once, before threads start.
///
/// @param program    name before each line
/// @param threshold  lesser levels are dropped
void log_setup(std::string_view program, log_level threshold);

void log_debug(std::string_view line);
void log_info(std::string_view line);
void log_warning(std::string_view line);
void log_error(std::string_view line);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_LOG_HPP
