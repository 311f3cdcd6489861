// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/identity.hpp: this host's key, and the keys of the hosts it
// is paired with.
//
// Certificates are self-signed and pinned: a peer is who it says when its
// certificate is, byte for byte, one of those that `teleportctl pair` put into
// the peers' folder over the administrator's ssh. No authority, no expiry.
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

/// SHA-256 of a PEM certificate's DER form, in hexadecimal.
///
/// @error errc::corrupt when it is no certificate
[[nodiscard]] result<std::string> fingerprint_of(const std::string& pem);

/// The hosts that may come in, by the fingerprint of their certificate.
class pinned_peers {
 public:
  /// Reads every NAME.crt of the folder; a missing folder has none.
  [[nodiscard]] static result<pinned_peers> load(const std::string& folder);

  /// The name under which the host was paired, or nullopt.
  [[nodiscard]] std::optional<std::string> name_of(
      const std::string& fingerprint) const;
  /// Whether the key is that of the host of this name. Letters' case does not
  /// matter, as in names of hosts.
  [[nodiscard]] bool is_key_of(const std::string& name,
                               const std::string& fingerprint) const;
  /// Fingerprint to name.
  [[nodiscard]] const std::map<std::string, std::string>& all() const noexcept {
    return names_;
  }

 private:
  std::map<std::string, std::string> names_;
  /// A host that was paired under two names has one key in two files.
  std::set<std::pair<std::string, std::string>> lower_names_and_keys_;
};

/// Adds a peer's certificate.
///
/// @param name  a host's name or address; checked, it becomes a file's name
result<void> pin_peer(const std::string& folder,
                      const std::string& name,
                      const std::string& pem);
result<void> unpin_peer(const std::string& folder, const std::string& name);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_IDENTITY_HPP
