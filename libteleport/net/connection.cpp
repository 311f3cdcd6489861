// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/connection.hpp"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/x509.h>

#include "libteleport/base/digest.hpp"
#include "libteleport/net/socket_tuning.hpp"
#include "libteleport/net/tls_context.hpp"

namespace teleport {

namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

/// A handshake takes three round trips; a peer that needs longer is not there.
constexpr std::chrono::seconds handshake_limit{20};

/// What is left to say at the end has this long to arrive: some round trips,
/// and a second of data on a slow link before it.
constexpr std::chrono::seconds finish_limit{5};

/// How often a peer's answers are looked at.
constexpr std::chrono::seconds watch_interval{1};

/// Queued records are written together up to this many bytes.
constexpr std::size_t write_batch = 256_KiB;

std::string fail_body(std::string_view code, std::string_view sentence) {
  return fmt::format(R"({{"code":"{}","sentence":"{}"}})", code, sentence);
}

}  // namespace

connection::connection(event_loop& loop,
                       std::shared_ptr<net::ssl::context> context)
    : loop_(loop),
      context_(std::move(context)),
      stream_(loop.context(), *context_) {}

void connection::connect(event_loop& loop,
                         const key_files& keys,
                         const std::string& host,
                         std::uint16_t port,
                         const ready_handler& ready) {
  const auto context = make_tls_context(keys, net::ssl::context::tls_client);
  if (!context) {
    loop.post([ready, cause = context.error()] { ready(cause); });
    return;
  }
  auto self = std::make_shared<connection>(loop, *context);
  auto resolver = std::make_shared<tcp::resolver>(loop.context());
  self->deadline_ = loop.after(handshake_limit, [self, resolver] {
    resolver->cancel();
    error_code ignored;
    self->stream_.lowest_layer().close(ignored);
  });
  const auto unreachable = [host, port](const error_code& failure) {
    return error(errc::peer_lost,
                 fmt::format("cannot reach {} port {}: {}; is teleportd "
                             "running there and the port open?",
                             host,
                             port,
                             failure == net::error::operation_aborted
                                 ? "no answer in time"
                                 : failure.message()));
  };
  resolver->async_resolve(
      host,
      std::to_string(port),
      [self, resolver, keys, ready, unreachable](
          const error_code& failure, const tcp::resolver::results_type& found) {
        if (failure) {
          ready(unreachable(failure));
          return;
        }
        net::async_connect(
            self->stream_.lowest_layer(),
            found,
            [self, keys, ready, unreachable](const error_code& refused,
                                             const tcp::endpoint&) {
              if (refused) {
                ready(unreachable(refused));
                return;
              }
              self->shake_hands(keys, net::ssl::stream_base::client, ready);
            });
      });
}

void connection::accept(event_loop& loop,
                        const key_files& keys,
                        unique_fd socket,
                        const ready_handler& ready) {
  const auto context = make_tls_context(keys, net::ssl::context::tls_server);
  if (!context) {
    loop.post([ready, cause = context.error()] { ready(cause); });
    return;
  }
  auto self = std::make_shared<connection>(loop, *context);
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
  self->deadline_ = loop.after(handshake_limit, [self] {
    error_code ignored;
    self->stream_.lowest_layer().close(ignored);
  });
  self->shake_hands(keys, net::ssl::stream_base::server, ready);
}

void connection::shake_hands(const key_files& keys,
                             net::ssl::stream_base::handshake_type side,
                             const ready_handler& ready) {
  tune_socket(stream_.lowest_layer().native_handle());
  auto self = shared_from_this();
  stream_.async_handshake(
      side, [self, keys, side, ready](const error_code& failure) {
        self->deadline_ = timer();
        if (failure) {
          ready(error(errc::peer_lost,
                      "the TLS handshake failed: " + failure.message()));
          return;
        }
        const auto known = self->check_peer(keys);
        if (known) {
          ready(self);
          return;
        }
        if (side == net::ssl::stream_base::server) {
          self->turn_away(known.error(), ready);
        } else {
          self->close();
          ready(known.error());
        }
      });
}

/// The stranger is told what to do, and nothing else.
void connection::turn_away(const error& cause, const ready_handler& ready) {
  start({});
  send(record_type::fail,
       as_bytes(fail_body("not_paired",
                          "the destination does not know this host's key: run "
                          "'teleportctl pair root@DESTINATION' on this host")));
  finish([cause, ready] { ready(cause); });
}

result<void> connection::check_peer(const key_files& keys) {
  X509* certificate = SSL_get1_peer_certificate(stream_.native_handle());
  const std::unique_ptr<X509, decltype(&X509_free)> owner(certificate,
                                                          &X509_free);
  std::vector<unsigned char> der;
  if (certificate != nullptr) {
    const int size = i2d_X509(certificate, nullptr);
    der.resize(static_cast<std::size_t>(std::max(size, 0)));
    unsigned char* out = der.data();
    (void)i2d_X509(certificate, &out);
  }
  const auto peers = pinned_peers::load(keys.peers);
  if (!peers) {
    return peers.error();
  }
  const auto fingerprint = to_hex(digest_extent(std::as_bytes(std::span(der))));
  const auto name = peers->name_of(fingerprint);
  if (!name) {
    return error(errc::not_paired,
                 fmt::format("the peer's key {} is not paired with this host: "
                             "run 'teleportctl pair root@HOST' on the source",
                             fingerprint.substr(0, 16)));
  }
  name_ = *name;
  return {};
}

void connection::start(handlers callbacks) {
  handlers_ = std::move(callbacks);
  watch_peer();
  read();
}

void connection::watch_peer() {
  const auto silent =
      silence_.look(answers_of(stream_.lowest_layer().native_handle()),
                    silence_watch::time_point::clock::now());
  if (silent) {
    fail({errc::peer_lost,
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

void connection::read() {
  if (reading_ || closed_) {
    return;
  }
  reading_ = true;
  auto self = shared_from_this();
  stream_.async_read_some(
      net::buffer(input_), [self](const error_code& failure, std::size_t size) {
        self->reading_ = false;
        if (self->closed_) {
          return;
        }
        if (self->half_closed_) {
          if (failure) {
            self->close();
          } else {
            self->read();
          }
          return;
        }
        if (failure) {
          const bool ended = failure == net::error::eof ||
                             failure == net::ssl::error::stream_truncated;
          self->fail({errc::peer_lost,
                      ended ? "the peer closed the connection"
                            : "the connection broke: " + failure.message()});
          return;
        }
        self->framer_.feed(byte_span(self->input_).first(size));
        self->deliver();
      });
}

void connection::deliver() {
  if (delivering_) {
    return;  // resume() was called from inside on_record
  }
  delivering_ = true;
  while (!paused_ && !closed_) {
    auto record = framer_.next();
    if (!record) {
      delivering_ = false;
      fail(record.error());
      return;
    }
    if (!*record) {
      break;
    }
    if (handlers_.on_record) {
      handlers_.on_record(std::move(**record));
    }
  }
  delivering_ = false;
  if (!paused_) {
    read();
  }
}

void connection::pause() {
  paused_ = true;
}

void connection::resume() {
  if (paused_) {
    paused_ = false;
    deliver();
  }
}

void connection::send(record_type type, byte_span body) {
  enqueue(queue_, type, body);
}

void connection::send_ahead(record_type type, byte_span body) {
  enqueue(ahead_, type, body);
}

void connection::enqueue(std::deque<byte_buffer>& to,
                         record_type type,
                         byte_span body) {
  if (closed_ || finishing_) {
    return;
  }
  to.push_back(frame(type, body));
  queued_ += to.back().size();
  if (!writing_) {
    // Later in this turn of the loop, so that records queued together are
    // written together.
    writing_ = true;
    loop_.post([self = shared_from_this()] { self->write(); });
  }
}

void connection::write() {
  if (closed_) {
    return;
  }
  while (written_ == 0 && output_.size() < write_batch &&
         !(ahead_.empty() && queue_.empty())) {
    auto& from = ahead_.empty() ? queue_ : ahead_;
    output_.insert(output_.end(), from.front().begin(), from.front().end());
    from.pop_front();
  }
  if (output_.empty()) {
    writing_ = false;
    if (finishing_) {
      half_close();
    }
    return;
  }
  const std::size_t rest = output_.size() - written_;
  if (!pacer_) {
    write_piece(rest);
    return;
  }
  const std::size_t size = std::min(rest, pacer_->piece());
  const auto wait = pacer_->reserve(size) - pacer::clock::now();
  if (wait <= std::chrono::milliseconds(1)) {
    write_piece(size);
    return;
  }
  pace_timer_ =
      loop_.after(std::chrono::duration_cast<std::chrono::milliseconds>(wait),
                  [weak = weak_from_this(), size] {
                    if (const auto self = weak.lock()) {
                      self->write_piece(size);
                    }
                  });
}

/// Gives the kernel `size` bytes of output_.
void connection::write_piece(std::size_t size) {
  if (closed_) {
    return;
  }
  auto self = shared_from_this();
  net::async_write(
      stream_,
      net::buffer(output_.data() + written_, size),
      [self](const error_code& failure, std::size_t gone) {
        if (self->closed_) {
          return;
        }
        if (failure || gone == 0) {
          self->fail(
              {errc::peer_lost, "the connection broke: " + failure.message()});
          return;
        }
        self->queued_ -= gone;
        self->written_ += gone;
        if (self->written_ == self->output_.size()) {
          self->output_.clear();
          self->written_ = 0;
        }
        self->write();
        if (self->handlers_.on_drained && !self->closed_) {
          self->handlers_.on_drained();
        }
      });
}

std::string connection::congestion_control() const {
  // As in counters().
  return congestion_control_of(
      const_cast<stream&>(stream_).lowest_layer().native_handle());
}

void connection::finish(std::function<void()> done) {
  if (closed_) {
    loop_.post(std::move(done));
    return;
  }
  finished_ = std::move(done);
  if (std::exchange(finishing_, true)) {
    return;
  }
  deadline_ = loop_.after(finish_limit, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->close();
    }
  });
  if (!writing_) {
    half_close();
  }
}

void connection::half_close() {
  half_closed_ = true;
  error_code ignored;
  stream_.lowest_layer().shutdown(tcp::socket::shutdown_send, ignored);
  read();
}

void connection::close() {
  if (closed_) {
    return;
  }
  last_counters_ = counters();
  closed_ = true;
  deadline_ = timer();
  pace_timer_ = timer();
  watch_timer_ = timer();
  error_code ignored;
  auto& socket = stream_.lowest_layer();
  socket.shutdown(tcp::socket::shutdown_both, ignored);
  socket.close(ignored);
  if (finished_) {
    loop_.post(std::exchange(finished_, nullptr));
  }
}

void connection::fail(error cause) {
  close();
  // The handlers may hold the owner of this connection: let go of them.
  const handlers last = std::exchange(handlers_, {});
  if (last.on_closed) {
    last.on_closed(std::move(cause));
  }
}

link_counters connection::counters() const {
  if (closed_) {
    return last_counters_;
  }
  // Asio's native_handle() is not const, though asking changes nothing.
  return count_link(
      const_cast<stream&>(stream_).lowest_layer().native_handle());
}

}  // namespace teleport
