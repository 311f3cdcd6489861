// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/identity.hpp: this host's key, and the keys of the hosts it
// is paired with.
//
// Certificates are self-signed and pinned: a peer is who it says when its
// certificate is, byte for byte, one of those that `teleportctl pair` put into
// the peers' folder over the administrator's ssh. No authority, no expiry.
// A peer's identity ("host" below) is the first key that it was paired with,
// also when it has another by now (peer_certificates.hpp).
//
// Blocks: on small files.

#ifndef LIBTELEPORT_NET_IDENTITY_HPP
#define LIBTELEPORT_NET_IDENTITY_HPP

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/net/peer_certificates.hpp"

namespace teleport {

/// Where keys lie.
struct key_files {
  std::string certificate = "/etc/xen/teleport/host.crt";
  std::string key = "/etc/xen/teleport/host.key";
  std::string peers = "/etc/xen/teleport/peers";
  /// Under which name a host is paired that is reached by another one.
  std::map<std::string, std::string> aliases{};
};

/// Makes this host's key and certificate unless they are there.
///
/// @param host_name  goes into the certificate for people to read
result<void> make_identity(const key_files& files,
                           const std::string& host_name);

/// The hosts that may come in.
class pinned_peers {
 public:
  /// Reads every NAME.crt of the folder; a missing folder has none.
  [[nodiscard]] static result<pinned_peers> load(const std::string& folder);

  /// The host that has a key now, or nullopt.
  ///
  /// @param key  SHA-256 of a certificate, in hexadecimal
  [[nodiscard]] std::optional<std::string> host_of(
      const std::string& key) const;
  /// The name under which a host was paired, or nullopt.
  [[nodiscard]] std::optional<std::string> name_of(
      const std::string& host) const;
  /// Whether a host is paired under this name. Letters' case does not matter,
  /// as in names of hosts.
  [[nodiscard]] bool is_called(const std::string& host,
                               const std::string& name) const;
  [[nodiscard]] bool empty() const noexcept { return names_.empty(); }

 private:
  std::map<std::string, std::string> names_;  ///< by host
  std::map<std::string, std::string> hosts_;  ///< by key
  /// A host that was paired under two names has two files.
  std::set<std::pair<std::string, std::string>> lower_names_and_hosts_;
};

/// Writes a peer's file: its certificate, or what text_of() makes of several.
///
/// @param name  a host's name or address; checked, it becomes a file's name
result<void> pin_peer(const std::string& folder,
                      const std::string& name,
                      const std::string& pem);
result<void> unpin_peer(const std::string& folder, const std::string& name);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_IDENTITY_HPP
