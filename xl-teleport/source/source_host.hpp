// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_host.hpp: what the source looks up before a teleport, and
// what it does with the guest and its disks afterwards.
//
// Blocks: on Xen, disks and files.

#ifndef XL_TELEPORT_SOURCE_SOURCE_HOST_HPP
#define XL_TELEPORT_SOURCE_SOURCE_HOST_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/domain.hpp"
#include "libteleport/xen/preflight.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// A random name for a teleport: 32 hexadecimal digits.
[[nodiscard]] result<std::string> new_teleport_id();

/// The guest and this host, and every problem that can be seen from here.
struct source_view {
  guest_info guest;
  host_facts host;
  std::vector<problem> problems;
};
[[nodiscard]] result<source_view> look_at_guest(const std::string& name,
                                                bool live);

/// Pauses the guest, or unpauses it.
[[nodiscard]] result<void> set_paused(std::uint32_t domid, bool paused);

/// Resumes the guest here if it is suspended.
[[nodiscard]] result<void> resume_here(std::uint32_t domid);

/// The guest runs at the destination: destroys the suspended one here, sets
/// its disks aside and notes them as shadows. May be repeated.
///
/// @return where the shadows are
[[nodiscard]] result<std::vector<std::string>> clear_away(
    const guest_info& guest, const settings& options);

/// The guest as text for the journal: all that clear_away() needs of it.
[[nodiscard]] std::string guest_text(const guest_info& guest);
/// The guest that guest_text() wrote into the journal.
[[nodiscard]] result<guest_info> guest_of(const journal_entry& entry);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SOURCE_HOST_HPP
