// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/peer_files.hpp: the files of the peers' folder. A host may
// have several, one for each of its names, and several keys in each, while it
// renews its own (peer_certificates.hpp). peer_pairing.hpp adds them.
//
// Blocks: on small files.

#ifndef LIBTELEPORT_NET_PEER_FILES_HPP
#define LIBTELEPORT_NET_PEER_FILES_HPP

#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Whether it may be a host's name: a name or an address, with letters, digits,
/// and . - : _ %, at most 253 of them. It becomes the name of a file.
[[nodiscard]] bool is_peer_name(std::string_view name);

/// As names of hosts are compared: ASCII's capital letters become small ones.
[[nodiscard]] std::string in_lower_case(std::string name);

/// Of a file beside NAME.crt that limits its host, NAME.conf.
inline constexpr std::string_view limits_extension = ".conf";

/// One file, NAME.crt.
struct peer_file {
  std::string name;  ///< under which the host was paired
  /// Its identity: SHA-256, in hexadecimal, of the certificate that it was
  /// first paired with. Journals and the book of kept disks have this one.
  std::string host;
  /// With which it may come in now; not empty.
  std::vector<std::string> keys;
};
using peer_files = std::vector<peer_file>;

/// Whether a host may come in with a key.
[[nodiscard]] bool accepts(const peer_file& one, const std::string& key);

/// By name; without those that are no certificate. A missing folder has none.
///
/// No key is of two hosts: a file that has one key and does not say whose it is
/// names another file's host once more. Files that contradict each other are
/// left out, and that is logged.
[[nodiscard]] result<peer_files> read_peer_files(const std::string& folder);

/// Those of a name that do not accept a key. Letters' case does not matter, as
/// in names of hosts.
[[nodiscard]] peer_files others_called(const peer_files& all,
                                       const std::string& name,
                                       const std::string& key);
/// Those of the host that `name` names: a host's name, or the first 8 digits at
/// least of its identity or of a key.
[[nodiscard]] peer_files files_of_host(const peer_files& all,
                                       const std::string& name);

/// Paths of the files that limit the host of a name. Letters' case does not
/// matter: a file that is meant for a host is never passed over.
[[nodiscard]] result<std::vector<std::string>> peer_limit_files(
    const std::string& folder, const std::string& name);

/// Removes a host's key, under all names that it was paired under, and then
/// what limited it.
///
/// @param name  a host's name, or the beginning of a key
/// @return what was removed
/// @error errc::not_found when no host is paired as that
[[nodiscard]] result<peer_files> remove_peer(const std::string& folder,
                                             const std::string& name);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PEER_FILES_HPP
