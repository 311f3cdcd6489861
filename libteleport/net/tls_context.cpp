// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/tls_context.hpp"

#include <boost/asio/ssl.hpp>
#include <fmt/format.h>

#include "libteleport/net/key_pair.hpp"

namespace teleport {

namespace net = boost::asio;

result<std::shared_ptr<net::ssl::context>> make_tls_context(
    const key_files& keys, net::ssl::context::method method) {
  const auto own = read_key_pair(keys.key, keys.certificate);
  if (!own && own.error().code == errc::bad_input) {
    return own.error();  // somebody else may read it
  }
  auto context = own ? make_tls_context(*own, method)
                     : result<std::shared_ptr<net::ssl::context>>(own.error());
  if (!context) {
    return error(errc::not_paired,
                 fmt::format("this host has no usable key in {}: run "
                             "'teleportctl pair root@HOST' here first",
                             keys.key));
  }
  return context;
}

result<std::shared_ptr<net::ssl::context>> make_tls_context(
    const key_pair& own, net::ssl::context::method method) {
  auto context = std::make_shared<net::ssl::context>(method);
  boost::system::error_code failure;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(context->native_handle(), 0);
  context->use_certificate(
      net::buffer(own.certificate), net::ssl::context::pem, failure);
  if (!failure) {
    context->use_private_key(
        net::buffer(own.key), net::ssl::context::pem, failure);
  }
  if (failure) {
    return error(errc::corrupt, "this host's key: " + failure.message());
  }
  context->set_verify_mode(net::ssl::verify_peer |
                           net::ssl::verify_fail_if_no_peer_cert);
  // The handshake proves that the peer has the key; check_peer() decides by the
  // pin alone whose key it is.
  context->set_verify_callback(
      [](bool, net::ssl::verify_context&) { return true; });
  return context;
}

result<void> try_key(const key_pair& own) {
  const auto made = make_tls_context(own, net::ssl::context::tls_server);
  return made ? result<void>() : result<void>(made.error());
}

}  // namespace teleport
