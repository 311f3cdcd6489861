// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/recover.hpp: takes up a teleport whose answer to GO was lost:
// asks the destination, and ends in exactly one copy that may run.

#ifndef XL_TELEPORT_RECOVER_HPP
#define XL_TELEPORT_RECOVER_HPP

#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/options.hpp"

namespace teleport {

/// Runs to the end; says on standard output what came of it.
[[nodiscard]] exit_code recover(const move_options& options,
                                const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_RECOVER_HPP
