// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/recover.hpp: takes up a teleport of which no process is left, in
// whatever state the journal has it, on either host, and ends in exactly one
// copy that may run, or says what a person has to look at. What is right is
// decided in libteleport/session/recovery.hpp; PROTOCOL.md, section 6.8.
//
// Threads: one. Blocks: on Xen, disks, the destination's answer.

#ifndef XL_TELEPORT_RECOVER_HPP
#define XL_TELEPORT_RECOVER_HPP

#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/options.hpp"

namespace teleport {

/// Runs to the end; says on standard output what came of it.
[[nodiscard]] exit_code recover(const move_options& options,
                                const settings& config);

/// Of a guest that left this host; its lock is held.
[[nodiscard]] exit_code recover_departure(journal& entries,
                                          const journal_entry& entry,
                                          const move_options& options,
                                          const settings& config);

/// Of a guest that came to this host.
[[nodiscard]] exit_code recover_arrival(journal& entries,
                                        journal_entry entry,
                                        const move_options& options,
                                        const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_RECOVER_HPP
