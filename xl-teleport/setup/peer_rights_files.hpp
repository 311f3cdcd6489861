// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/peer_rights_files.hpp: where a limited host's limits lie:
// NAME.conf beside its certificate NAME.crt, in the peers' folder.
//
// Threads: any. Blocks: on small files.

#ifndef XL_TELEPORT_SETUP_PEER_RIGHTS_FILES_HPP
#define XL_TELEPORT_SETUP_PEER_RIGHTS_FILES_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/net/peer_files.hpp"
#include "xl-teleport/setup/peer_rights.hpp"

namespace teleport {

/// Those of the host that was first paired with this key, by its files. A host
/// that has several names may have its limits beside each. A file that cannot
/// be read, is not root's alone or is wrong gives nothing, and so do files that
/// differ.
///
/// @param folder  of the peers
/// @param key     SHA-256 of the certificate, in hexadecimal
[[nodiscard]] peer_rights rights_of_peer(const std::string& folder,
                                         const std::string& key);

/// The same for whoever has read the folder's certificates already.
[[nodiscard]] peer_rights rights_of_peer(const peer_files& all,
                                         const std::string& folder,
                                         const std::string& key);

/// Writes NAME.conf, mode 0600, also before there is a NAME.crt.
///
/// @return its path
[[nodiscard]] result<std::string> write_peer_limits(const std::string& folder,
                                                    const std::string& name,
                                                    const peer_limits& limits);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_PEER_RIGHTS_FILES_HPP
