// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/lock_file.hpp: one process at a time for a named thing. The
// kernel lets go of the lock when the process ends, however it ends.

#ifndef LIBTELEPORT_BASE_LOCK_FILE_HPP
#define LIBTELEPORT_BASE_LOCK_FILE_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// Takes the lock `folder`/`name`.lock, held until the descriptor is closed.
///
/// @error errc::busy when another process holds it
[[nodiscard]] result<unique_fd> take_lock(const std::string& folder,
                                          const std::string& name);

/// What the holder of a lock says of itself in the lock's file.
struct lock_note {
  std::string holder;  ///< empty: of a release that wrote nothing
  /// Another one each time that the holder writes it.
  std::uint64_t sign = 0;
};

/// Says so, again and again: a holder that is stopped does not.
///
/// @param held    of take_lock()
/// @param holder  at most 256 bytes of it are read
void write_lock_note(const unique_fd& held, const std::string& holder);

/// @return nullopt where there is no such file
[[nodiscard]] std::optional<lock_note> read_lock_note(const std::string& folder,
                                                      const std::string& name);

/// As take_lock(), tried again for at most 5 s while `is_worth_it` says so.
[[nodiscard]] result<unique_fd> wait_for_lock(
    const std::string& folder,
    const std::string& name,
    const std::function<bool()>& is_worth_it = [] { return true; });

/// Removes the lock's file, for a name that is never used again, and gives the
/// lock up. Whoever has opened the file meanwhile makes a new one.
void remove_lock(const std::string& folder,
                 const std::string& name,
                 unique_fd held);

/// Does a process hold that lock? Asks the kernel's list, as to take the lock
/// for a moment could turn away the one it is meant for.
///
/// @return true also when it cannot be told
[[nodiscard]] bool lock_is_held(const std::string& folder,
                                const std::string& name);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_LOCK_FILE_HPP
