// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane.hpp"

#include <span>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "libteleport/base/digest.hpp"
#include "libteleport/net/address_race.hpp"
#include "libteleport/net/openssl_objects.hpp"
#include "libteleport/net/socket_info.hpp"
#include "libteleport/net/socket_tuning.hpp"
#include "libteleport/net/tls_context.hpp"
#include "libteleport/wire/failure.hpp"

namespace teleport {

namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

/// Time for a handshake of three round trips; after that the peer counts as not
/// there.
constexpr std::chrono::seconds handshake_limit{20};

/// The same for whoever comes: in that time a place is taken by somebody whose
/// key is not known. One round trip, and what a busy host needs to answer it;
/// round trips on top of that for what is lost.
constexpr std::chrono::seconds stranger_limit{5};
constexpr int stranger_round_trips = 10;

/// How often a peer's answers are looked at.
constexpr std::chrono::seconds watch_interval{1};

/// @return null after `ready` was called with why
std::shared_ptr<lane> make_lane(event_loop& loop,
                                const key_files& keys,
                                net::ssl::context::method method,
                                const lane::ready_handler& ready,
                                const told_keys_ptr& told = nullptr) {
  const auto context = told ? make_tls_context(told->own, method)
                            : make_tls_context(keys, method);
  if (!context) {
    loop.post([ready, cause = context.error()] { ready(cause); });
    return nullptr;
  }
  return std::make_shared<lane>(loop, *context);
}

error unreachable(std::string_view where, std::string_view met) {
  return {errc::peer_lost,
          fmt::format("cannot reach {}: {}; is teleportd running there (it "
                      "listens once a host is paired) and the port open?",
                      where,
                      met)};
}

error unreachable(std::string_view where, const error_code& failure) {
  return unreachable(where,
                     failure == net::error::operation_aborted
                         ? "no answer in time"
                         : failure.message());
}

error without_address(const std::string& host, const error_code& failure) {
  if (failure != net::error::host_not_found &&
      failure != net::error::host_not_found_try_again &&
      failure != net::error::no_data) {
    return unreachable(host, failure);
  }
  return {errc::peer_lost,
          fmt::format("no address is known for '{}' ({}): check the name, in "
                      "DNS or /etc/hosts",
                      host,
                      failure.message())};
}

/// "host2 port 8744", of a socket that is connected.
std::string place_of(const tcp::socket& socket, const std::string& name) {
  error_code ignored;
  const auto where = socket.remote_endpoint(ignored);
  return fmt::format("{} port {}",
                     name.empty() ? where.address().to_string() : name,
                     where.port());
}

/// Why there was no handshake, to who has called.
error no_handshake(const std::string& where, const error_code& failure) {
  const auto told = [](const std::string& sentence) {
    return error(errc::peer_lost, sentence);
  };
  if (failure == net::error::operation_aborted) {
    return told(
        fmt::format("{} took the connection and said nothing for {} s: "
                    "is that teleportd, and no firewall in between?",
                    where,
                    handshake_limit.count()));
  }
  if (failure == net::error::connection_reset || failure == net::error::eof ||
      failure == net::ssl::error::stream_truncated) {
    return told(
        fmt::format("{} broke off the TLS handshake: its log says why "
                    "('journalctl -u teleport-listen' there)",
                    where));
  }
  const int reason =
      ERR_GET_REASON(static_cast<unsigned long>(failure.value()));
  if (failure.category() == net::error::get_ssl_category() &&
      (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
       reason == SSL_R_PACKET_LENGTH_TOO_LONG)) {
    return told(fmt::format(
        "{} is not teleportd: what answers there has no TLS", where));
  }
  return told(fmt::format(
      "the TLS handshake with {} failed: {}", where, failure.message()));
}

/// What address_race met, where the host was called by the address itself.
std::string_view without_host(const std::string& host, std::string_view met) {
  return met.starts_with(host + ": ") ? met.substr(host.size() + 2) : met;
}

/// What a key is told that is not paired: who called a host, or who was called.
error unknown_key(const link_terms& terms, const std::string& key) {
  return terms.peer.empty()
             ? error(errc::not_paired,
                     fmt::format("the peer's key {:.16} is not paired with "
                                 "this host: run 'teleportctl pair root@HOST' "
                                 "on the source",
                                 key))
             : not_paired(terms.peer, "its key is unknown here");
}

/// That a paired host is the one that was asked for.
///
/// @param host  the key that it was first paired with
result<void> check_expected(const link_terms& terms,
                            const pinned_peers& peers,
                            const std::string& host,
                            const std::string& name) {
  if (!terms.key.empty()) {
    return terms.key == host
               ? result<void>()
               : error(errc::not_paired,
                       fmt::format("{} is another host now: its key is "
                                   "{:.16}, and {:.16} is that of the host to "
                                   "which the guest was given",
                                   terms.peer,
                                   host,
                                   terms.key));
  }
  const auto alias = terms.keys.aliases.find(terms.peer);
  const auto& expected =
      alias == terms.keys.aliases.end() ? terms.peer : alias->second;
  if (terms.peer.empty() || peers.is_called(host, expected)) {
    return {};
  }
  return error(errc::not_paired,
               fmt::format("{} answered with the key of {}, not with one that "
                           "is paired as {}: where that is the host that you "
                           "mean, name it {}, or say --peer {}",
                           terms.peer,
                           name,
                           expected,
                           name,
                           name));
}

}  // namespace

lane::lane(event_loop& loop, std::shared_ptr<net::ssl::context> context)
    : loop_(loop),
      context_(std::move(context)),
      stream_(loop.context(), *context_) {}

void lane::connect(event_loop& loop,
                   const link_terms& terms,
                   const std::string& host,
                   std::uint16_t port,
                   const ready_handler& ready) {
  const auto self =
      make_lane(loop, terms.keys, net::ssl::context::tls_client, ready);
  if (!self) {
    return;
  }
  auto resolver = std::make_shared<tcp::resolver>(loop.context());
  auto race = std::make_shared<address_race>(loop, attempt_delay);
  self->deadline_ = loop.after(handshake_limit, [self, resolver, race] {
    resolver->cancel();
    race->give_up();
    error_code ignored;
    self->stream_.lowest_layer().close(ignored);
  });
  const std::string where = fmt::format("{} port {}", host, port);
  resolver->async_resolve(
      host,
      std::to_string(port),
      [self, resolver, race, terms, ready, where, host](
          const error_code& failure, const tcp::resolver::results_type& found) {
        if (failure) {
          ready(failure == net::error::operation_aborted
                    ? unreachable(where, failure)
                    : without_address(host, failure));
          return;
        }
        race->begin(
            {found.begin(), found.end()},
            [self, terms, ready, where, host](result<tcp::socket> connected) {
              if (!connected) {
                ready(unreachable(
                    where, without_host(host, connected.error().context)));
                return;
              }
              self->stream_.next_layer() = std::move(*connected);
              self->shake_hands(terms, net::ssl::stream_base::client, ready);
            });
      });
}

void lane::connect_beside(event_loop& loop,
                          const link_terms& terms,
                          const endpoint& where,
                          byte_buffer preamble,
                          const ready_handler& ready) {
  const auto self =
      make_lane(loop, terms.keys, net::ssl::context::tls_client, ready);
  if (!self) {
    return;
  }
  self->limit_handshake();
  const std::string named = where.address().to_string();
  const auto kept = std::make_shared<byte_buffer>(std::move(preamble));
  self->stream_.lowest_layer().async_connect(
      where, [self, terms, ready, named, kept](const error_code& refused) {
        if (refused) {
          ready(unreachable(named, refused));
          return;
        }
        net::async_write(self->stream_.next_layer(),
                         net::buffer(*kept),
                         [self, terms, ready, named, kept](
                             const error_code& failure, std::size_t) {
                           if (failure) {
                             ready(unreachable(named, failure));
                             return;
                           }
                           self->shake_hands(
                               terms, net::ssl::stream_base::client, ready);
                         });
      });
}

void lane::accept(event_loop& loop,
                  const link_terms& terms,
                  unique_fd socket,
                  const ready_handler& ready,
                  told_keys_ptr told) {
  const auto self =
      make_lane(loop, terms.keys, net::ssl::context::tls_server, ready, told);
  if (!self) {
    return;
  }
  self->told_ = std::move(told);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  error_code failure;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  self->stream_.lowest_layer().assign(
      address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(),
      socket.release(),
      failure);
  if (failure) {
    loop.post([ready, failure] {
      ready(error(errc::system, "accepted socket: " + failure.message()));
    });
    return;
  }
  self->deadline_ =
      loop.after(stranger_limit + stranger_round_trips *
                                      answers_of(self->socket()).round_trip,
                 [self] {
                   error_code closed;
                   self->stream_.lowest_layer().close(closed);
                 });
  self->shake_hands(terms, net::ssl::stream_base::server, ready);
}

void lane::limit_handshake() {
  deadline_ = loop_.after(handshake_limit, [self = shared_from_this()] {
    error_code ignored;
    self->stream_.lowest_layer().close(ignored);
  });
}

void lane::shake_hands(const link_terms& terms,
                       net::ssl::stream_base::handshake_type side,
                       const ready_handler& ready) {
  tune_socket(socket(), terms.options.congestion_control);
  auto self = shared_from_this();
  const std::string where = side == net::ssl::stream_base::client
                                ? place_of(stream_.next_layer(), terms.peer)
                                : std::string();
  stream_.async_handshake(
      side, [self, terms, ready, where](const error_code& failure) {
        self->deadline_ = timer();
        if (failure) {
          ready(where.empty()
                    ? error(errc::peer_lost,
                            "the TLS handshake failed: " + failure.message())
                    : no_handshake(where, failure));
          return;
        }
        self->pinned_ = self->check_peer(terms);
        ready(self);
      });
}

result<void> lane::check_peer(const link_terms& terms) {
  const owned_certificate certificate(
      SSL_get1_peer_certificate(stream_.native_handle()));
  const auto der = der_of(certificate.get());
  const auto shown = to_hex(digest_extent(std::as_bytes(std::span(der))));
  if (told_) {
    const auto who = told_->who(shown);
    key_ = who ? who->key : shown;
    name_ = who ? who->name : std::string();
    return who ? result<void>() : result<void>(who.error());
  }
  const auto peers = pinned_peers::load(terms.keys.peers);
  if (!peers) {
    return peers.error();
  }
  const auto host = peers->host_of(shown);
  key_ = host.value_or(shown);
  const auto name = peers->name_of(key_);
  if (!host || !name) {
    return unknown_key(terms, shown);
  }
  const auto is_expected = check_expected(terms, *peers, key_, *name);
  if (!is_expected) {
    return is_expected;
  }
  name_ = *name;
  return {};
}

void lane::start(handlers callbacks) {
  handlers_ = std::make_shared<const handlers>(std::move(callbacks));
  watch_peer();
}

void lane::watch_peer() {
  const auto silent = silence_.look(answers_of(socket()),
                                    silence_watch::time_point::clock::now());
  if (silent) {
    lose({errc::peer_lost,
          fmt::format("the connection broke: no answer from the peer for {} s",
                      silent->count())});
    return;
  }
  watch_timer_ = loop_.after(watch_interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->watch_peer();
    }
  });
}

void lane::read() {
  if (reading_ || closed_) {
    return;
  }
  reading_ = true;
  stream_.async_read_some(
      net::buffer(input_),
      [self = shared_from_this()](const error_code& failure, std::size_t size) {
        self->reading_ = false;
        if (self->closed_) {
          return;
        }
        if (failure) {
          const bool ended = failure == net::error::eof ||
                             failure == net::ssl::error::stream_truncated;
          self->lose({errc::peer_lost,
                      ended ? "the peer closed the connection"
                            : "the connection broke: " + failure.message()},
                     ended);
          return;
        }
        // A copy: the callback may close this, or start() it anew.
        if (const auto now = self->handlers_) {
          now->on_bytes(byte_span(self->input_).first(size));
        }
      });
}

void lane::write(shared_bytes piece) {
  const auto bytes = net::buffer(piece.bytes.data(), piece.bytes.size());
  net::async_write(
      stream_,
      bytes,
      [self = shared_from_this(), piece = std::move(piece)](
          const error_code& failure, std::size_t gone) {
        if (self->closed_) {
          return;
        }
        if (failure || gone == 0) {
          self->lose(
              {errc::peer_lost, "the connection broke: " + failure.message()});
          return;
        }
        if (const auto now = self->handlers_) {
          now->on_written();
        }
      });
}

void lane::end_sending() {
  error_code ignored;
  stream_.lowest_layer().shutdown(tcp::socket::shutdown_send, ignored);
}

void lane::close() {
  if (closed_) {
    return;
  }
  last_counters_ = counters();
  closed_ = true;
  deadline_ = timer();
  watch_timer_ = timer();
  handlers_.reset();
  error_code ignored;
  auto& tcp_socket = stream_.lowest_layer();
  tcp_socket.shutdown(tcp::socket::shutdown_both, ignored);
  tcp_socket.close(ignored);
}

void lane::lose(const error& cause, bool cleanly) {
  const auto last = handlers_;
  close();
  if (last) {
    last->on_lost(cause, cleanly);
  }
}

int lane::socket() const {
  // Asio's native_handle() is not const, though asking changes nothing.
  return const_cast<stream&>(stream_).lowest_layer().native_handle();
}

link_counters lane::counters() const {
  return closed_ ? last_counters_ : counters_of(socket());
}

link_effort lane::effort() const {
  return effort_of(socket());
}

std::string lane::congestion_control() const {
  return congestion_control_of(socket());
}

lane::endpoint lane::peer() const {
  error_code ignored;
  return stream_.lowest_layer().remote_endpoint(ignored);
}

}  // namespace teleport
