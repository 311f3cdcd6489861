// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/told_keys.hpp: what a process goes by that speaks with the
// network and may not read the files of keys.
//
// Threads: plain values.

#ifndef LIBTELEPORT_NET_TOLD_KEYS_HPP
#define LIBTELEPORT_NET_TOLD_KEYS_HPP

#include <functional>
#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/net/key_pair.hpp"

namespace teleport {

/// A host that is paired.
struct paired_host {
  std::string key;   ///< that it was first paired with: its identity
  std::string name;  ///< under which it is paired
};

struct told_keys {
  key_pair own;
  /// Who has the key that was shown: SHA-256 of its certificate, in
  /// hexadecimal.
  ///
  /// @error errc::not_paired
  std::function<result<paired_host>(const std::string& shown)> who;
};

/// Null: the files count.
using told_keys_ptr = std::shared_ptr<const told_keys>;

}  // namespace teleport

#endif  // LIBTELEPORT_NET_TOLD_KEYS_HPP
