// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/private_file.hpp: a key that somebody else can read is no
// proof of who its host is.

#ifndef LIBTELEPORT_NET_PRIVATE_FILE_HPP
#define LIBTELEPORT_NET_PRIVATE_FILE_HPP

#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// @return bad_input when the file's owner is neither root nor this process's
///         user, or others may read or write it; the sentence says what to do.
///         system when it cannot be looked at
[[nodiscard]] result<void> check_private(const std::string& path);

/// The same for a file that others may read and none of them may write.
[[nodiscard]] result<void> check_unwritable(const std::string& path);
/// The same for a folder.
[[nodiscard]] result<void> check_unwritable_folder(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PRIVATE_FILE_HPP
