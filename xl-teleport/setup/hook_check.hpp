// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/hook_check.hpp: whether a hook of the configuration can be
// run. It is run when the guest stands still: what it lacks is told before.
//
// Threads: any. Blocks: on the file system.

#ifndef XL_TELEPORT_SETUP_HOOK_CHECK_HPP
#define XL_TELEPORT_SETUP_HOOK_CHECK_HPP

#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// @param program  hooks.at_gate; empty: there is none
[[nodiscard]] result<void> check_hook(const std::string& program);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_HOOK_CHECK_HPP
