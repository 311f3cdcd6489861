// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/guest_claims.hpp: the locks of one session at a
// destination: of the guest that it brings, by uuid and by name; and of each
// disk that it fills, by what the disk is, and by the words under which the
// book has it. A peer chooses the first, so that two sessions with other words
// may ask for one disk: the second is refused. Who removes a kept disk takes
// the same locks.
//
// Threads: one owner. Blocks: as guest_lock.hpp says.
// Trust:   name and uuid come from a peer, and need not belong together.

#ifndef XL_TELEPORT_SETUP_GUEST_CLAIMS_HPP
#define XL_TELEPORT_SETUP_GUEST_CLAIMS_HPP

#include <map>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

class guest_claims {
 public:
  /// Locks the guest by its uuid and by its name.
  ///
  /// @param run_path  the folder of the locks
  /// @error errc::busy when another session has one of them
  [[nodiscard]] static result<guest_claims> take(const std::string& run_path,
                                                 const guest_info& guest);

  /// Locks a kept disk and the guest under which the book has it, until this
  /// ends. What was looked up before is to be looked up again.
  ///
  /// @error errc::busy when another session has one of them
  [[nodiscard]] result<void> claim(const kept_disk& kept,
                                   const disk_home& home);

 private:
  explicit guest_claims(std::string run_path)
      : run_path_(std::move(run_path)) {}
  [[nodiscard]] result<void> lock_uuid(const std::string& uuid);

  std::string run_path_;
  std::map<std::string, unique_fd> held_;  ///< by name of the lock
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_GUEST_CLAIMS_HPP
