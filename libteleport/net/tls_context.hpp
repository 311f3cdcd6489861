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

namespace teleport {

/// @error errc::not_paired when the host has no usable key yet
[[nodiscard]] result<std::shared_ptr<boost::asio::ssl::context>>
make_tls_context(const key_files& keys,
                 boost::asio::ssl::context::method method);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_TLS_CONTEXT_HPP
