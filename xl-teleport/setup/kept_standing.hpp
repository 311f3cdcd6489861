// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/kept_standing.hpp: whose an entry of the book of kept disks
// is now. The book alone cannot tell: a session that is killed after GO leaves
// the disks of a running guest in it. What the journal says and what Xen has
// open decides.
//
// Threads: look() any; the value is plain. Blocks: look() on the journal's
// files, Xen and sysfs.

#ifndef XL_TELEPORT_SETUP_KEPT_STANDING_HPP
#define XL_TELEPORT_SETUP_KEPT_STANDING_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_identity.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/xen/disk_users.hpp"
#include "libteleport/xen/guest_seen.hpp"
#include "xl-teleport/setup/arrival.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

enum class kept_standing : std::uint8_t {
  kept,       ///< nobody's but the book's: may be filled, renamed, deleted
  of_guest,   ///< its guest runs or ran from it: the entry has no reason left
  unsettled,  ///< GO came for its guest, and what came of GO is not known
  in_use,     ///< a guest has it open: another, or one that is being built
};

/// A teleport to here that is not finished.
struct unfinished_arrival {
  journal_state state = journal_state::building;
  arrival plan;
};

/// The decision.
///
/// @param users  the guests that have this disk as theirs now
[[nodiscard]] kept_standing standing_of(
    const kept_disk& disk,
    const std::vector<unfinished_arrival>& arrivals,
    const std::vector<guest_seen>& users);

/// What is to be known for it, at one moment.
class kept_review {
 public:
  /// As on a host on which nothing runs and nothing has arrived.
  kept_review() = default;

  [[nodiscard]] static result<kept_review> look(const settings& config);

  [[nodiscard]] kept_standing of(const kept_disk& disk) const;
  /// Refuses a disk that a guest has, that is mounted, or that the kernel
  /// holds for another.
  ///
  /// @error errc::busy
  [[nodiscard]] result<void> check_unused(const std::string& path) const;

 private:
  std::vector<unfinished_arrival> arrivals_;
  disk_users users_;
};

/// Where a kept disk lies.
[[nodiscard]] const std::string& place_of(const kept_disk& kept);

/// Refuses a disk that is another than the one that was noted.
///
/// @param name  under which it was looked at
/// @param now   what it is there
/// @error errc::mismatch; as `now` when that cannot be told
[[nodiscard]] result<void> check_noted(const std::string& name,
                                       const disk_identity& noted,
                                       const result<disk_identity>& now);

/// Refuses a disk that is not the one that was kept.
///
/// @param now  identity of what the entry's name, or its device, names
/// @error errc::mismatch; as `now` when that cannot be told
[[nodiscard]] result<void> check_identity(const kept_disk& kept,
                                          const result<disk_identity>& now);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_KEPT_STANDING_HPP
