// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/departure.hpp: what the journal has of a guest that
// leaves, so that whoever reads it later, in another boot too, finds the very
// guest and the very disks, or touches nothing.
//
// Blocks: on Xen, disks and files: pool threads.
// Trust:  the journal is ours; what a number or a path in it names by now is
//         not: a domain counts with its uuid and in the boot of the entry, a
//         disk by its identity.

#ifndef XL_TELEPORT_SOURCE_DEPARTURE_HPP
#define XL_TELEPORT_SOURCE_DEPARTURE_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/session/recovery.hpp"
#include "libteleport/xen/facts.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct departing_disk {
  /// As it will be in the book: where it lies, and what it is.
  kept_disk entry;
  /// Other guests may have it, too: then it stays as it is.
  bool read_only = false;
  /// The path by which the guest's configuration names it. Empty in entries of
  /// release 0.1.0.
  std::string configured;
};

struct departure {
  std::string guest;
  std::string uuid;
  std::uint32_t domid = 0;
  /// Of this host: the domid is of it.
  std::string boot;
  std::vector<departing_disk> disks;
};

/// The guest, without its disks.
[[nodiscard]] departure departure_of(const guest_info& guest);

/// The guest with its disks.
///
/// @param peer_key  of the host to which it goes, for the book of kept disks
/// @error as find_home()
[[nodiscard]] result<departure> plan_departure(const guest_info& guest,
                                               const std::string& peer_key);

[[nodiscard]] std::string departure_text(const departure& plan);
/// @error errc::corrupt
[[nodiscard]] result<departure> read_departure(std::string_view text);

/// What this host has of the guest now.
[[nodiscard]] result<remains> look_for(const departure& plan);

/// Resumes the guest where it was. Does nothing when it runs already.
///
/// @error errc::not_found when no domain of this uuid is here; errc::busy when
///        it is being destroyed
[[nodiscard]] result<void> resume_here(const departure& plan);

/// The guest runs at the destination: destroys the suspended one here, or what
/// is left of it, and once Xen has forgotten it sets its disks aside and notes
/// them as shadows. Where none of them gets another name the guest's
/// configurations are set aside instead. May be repeated, in any boot.
///
/// @return where the shadows are
/// @error a disk that could not be set aside, or is another one by now, and was
///        left alone
[[nodiscard]] result<std::vector<std::string>> clear_away(
    const departure& plan, const settings& options);

/// The disks alone, or the configurations: before anything can be started.
///
/// @return as clear_away()
/// @error as clear_away()
[[nodiscard]] result<std::vector<std::string>> set_disks_aside(
    const departure& plan, const settings& options);

/// The guest never ran at the destination: ends the destruction of what is half
/// destroyed of it here, and gives disks and configurations that were set aside
/// their names again. Does nothing to those that have them.
[[nodiscard]] result<void> bring_disks_back(const departure& plan,
                                            const settings& options);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_DEPARTURE_HPP
