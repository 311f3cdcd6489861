// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/own_keys.hpp: this host's key, and its renewal. The next key
// lies beside the present one until all peers accept it, takes its place by one
// rename, and leaves the certificates of those before it until no
// peer accepts them any more. After a loss of power at any point the host has
// a key, and what is left to do is seen from the files.
//
// Threads: one process at a time changes them (rekey's lock).
// Blocks:  on small files, until they are durable.

#ifndef LIBTELEPORT_NET_OWN_KEYS_HPP
#define LIBTELEPORT_NET_OWN_KEYS_HPP

#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/peer_certificates.hpp"

namespace teleport {

/// More of them are forgotten, the oldest first: a peer that was not reached
/// in so many renewals has to be paired anew.
inline constexpr std::size_t most_past_keys = 8;

struct own_keys {
  host_certificate present;
  /// Made, and not in use yet.
  std::optional<host_certificate> next = std::nullopt;
  /// Not in use any more, the newest first; some peer may accept them still.
  std::vector<host_certificate> past = {};

  /// What a host that is told of them is to accept: the present one, and the
  /// next where there is one.
  [[nodiscard]] std::vector<host_certificate> accepted() const;
};

/// @pre this host has a key (make_identity)
[[nodiscard]] result<own_keys> read_own_keys(const key_files& files);

/// The files as they are once the next key is in use, to try it.
[[nodiscard]] key_files next_key_files(const key_files& files);

/// Makes the next key, unless it is there.
result<void> make_next_key(const key_files& files,
                           const std::string& host_name);
/// Puts the next key into the present one's place, for all sessions that begin
/// from now on.
///
/// @pre there is a next one
result<void> use_next_key(const key_files& files);
/// Does what a use_next_key() that was interrupted has left to do.
result<void> finish_switch(const key_files& files);
result<void> forget_past_keys(const key_files& files);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_OWN_KEYS_HPP
