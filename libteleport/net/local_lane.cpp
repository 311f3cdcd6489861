// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/local_lane.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::local::stream_protocol;

/// About what the kernel buffers of such a socket.
constexpr std::size_t read_bytes = 256_KiB;

}  // namespace

local_lane::local_lane(event_loop& loop,
                       unique_fd socket,
                       std::string name,
                       std::string key)
    : socket_(loop.context(), stream_protocol(), socket.release()),
      input_(read_bytes),
      name_(std::move(name)),
      key_(std::move(key)) {}

void local_lane::start(handlers callbacks) {
  handlers_ = std::make_shared<const handlers>(std::move(callbacks));
}

void local_lane::read() {
  if (reading_ || closed_) {
    return;
  }
  reading_ = true;
  socket_.async_read_some(
      net::buffer(input_),
      [self = shared_from_this()](const error_code& failure, std::size_t size) {
        self->reading_ = false;
        if (self->closed_) {
          return;
        }
        if (failure) {
          const bool ended = failure == net::error::eof;
          self->lose({errc::peer_lost,
                      ended ? "the peer closed the connection"
                            : "the connection broke: " + failure.message()},
                     ended);
          return;
        }
        self->counters_.received += size;
        // A copy: the callback may close this, or start() it anew.
        if (const auto now = self->handlers_) {
          now->on_bytes(byte_span(self->input_).first(size));
        }
      });
}

void local_lane::write(shared_bytes piece) {
  const auto bytes = net::buffer(piece.bytes.data(), piece.bytes.size());
  net::async_write(
      socket_,
      bytes,
      [self = shared_from_this(), piece = std::move(piece)](
          const error_code& failure, std::size_t gone) {
        if (self->closed_) {
          return;
        }
        if (failure) {
          self->lose(
              {errc::peer_lost, "the connection broke: " + failure.message()},
              false);
          return;
        }
        self->counters_.sent += gone;
        if (const auto now = self->handlers_) {
          now->on_written();
        }
      });
}

void local_lane::end_sending() {
  error_code ignored;
  socket_.shutdown(stream_protocol::socket::shutdown_send, ignored);
}

void local_lane::close() {
  if (closed_) {
    return;
  }
  closed_ = true;
  handlers_.reset();
  error_code ignored;
  socket_.shutdown(stream_protocol::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void local_lane::lose(const error& cause, bool cleanly) {
  const auto last = handlers_;
  close();
  if (last) {
    last->on_lost(cause, cleanly);
  }
}

}  // namespace teleport
