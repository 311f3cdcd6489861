// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/tls_context.hpp: TLS 1.3 with this host's key, both ways
// certified; whose key the peer has is for pinned_peers to say.

#ifndef LIBTELEPORT_NET_TLS_CONTEXT_HPP
#define LIBTELEPORT_NET_TLS_CONTEXT_HPP

#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/key_pair.hpp"

namespace teleport {

/// @error errc::not_paired when the host has no usable key yet
[[nodiscard]] result<std::shared_ptr<boost::asio::ssl::context>>
make_tls_context(const key_files& keys,
                 boost::asio::ssl::context::method method);

/// The same with a key that was read already.
[[nodiscard]] result<std::shared_ptr<boost::asio::ssl::context>>
make_tls_context(const key_pair& own, boost::asio::ssl::context::method method);

/// Whether hands can be shaken with this key. OpenSSL reads its configuration
/// with the first key that it gets.
[[nodiscard]] result<void> try_key(const key_pair& own);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_TLS_CONTEXT_HPP
