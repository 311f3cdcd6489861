// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/pipe.hpp: the ends of pipes to libxl and to xl, read and
// written without blocking the loop.
//
// Only pipes of which nobody else uses this end: libxl clears O_NONBLOCK on
// its own end, which is another open file.
//
// Threads: the loop's thread alone.

#ifndef LIBTELEPORT_NET_PIPE_HPP
#define LIBTELEPORT_NET_PIPE_HPP

#include <deque>
#include <functional>
#include <memory>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

/// Reads one piece at a time, when asked.
class pipe_reader {
 public:
  pipe_reader(event_loop& loop, unique_fd fd);

  /// Reads what is there, at most `limit` bytes; an empty buffer is the end.
  /// @pre no other read is under way
  void read(std::size_t limit, std::function<void(result<byte_buffer>)> done);
  /// Of the kernel's buffer, where it allows this size and holds no more now.
  void resize(std::size_t bytes);
  void close();

 private:
  std::shared_ptr<boost::asio::posix::stream_descriptor> stream_;
};

/// Writes everything given, in order.
class pipe_writer {
 public:
  /// @param on_failure  once: the reader is gone
  pipe_writer(event_loop& loop,
              unique_fd fd,
              std::function<void(error)> on_failure,
              std::function<void()> on_drained);

  void write(byte_buffer bytes);
  [[nodiscard]] std::size_t queued() const noexcept;
  void close();

 private:
  struct state;
  static void go_on(const std::shared_ptr<state>& self);
  std::shared_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PIPE_HPP
