// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/key_pair.hpp: a host's private key and its certificate, which
// is self-signed and without expiry.
//
// Blocks: read_key_pair() on small files.

#ifndef LIBTELEPORT_NET_KEY_PAIR_HPP
#define LIBTELEPORT_NET_KEY_PAIR_HPP

#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

struct key_pair {
  std::string key;          ///< PEM
  std::string certificate;  ///< PEM
};

/// @param host_name  is written into the certificate, for people to read
[[nodiscard]] result<key_pair> make_key_pair(const std::string& host_name);

/// One file for both, which one rename puts in the place of another.
[[nodiscard]] std::string text_of(const key_pair& pair);

/// Reads a key and its certificate. A certificate in the key's file is that
/// key's; `certificate_file` counts where there is none.
///
/// @error errc::bad_input where somebody else may read the key
///        (check_private); errc::corrupt; errc::not_found; errc::system
[[nodiscard]] result<key_pair> read_key_pair(
    const std::string& key_file, const std::string& certificate_file);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_KEY_PAIR_HPP
