// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/pipe.hpp"

#include <utility>

#include <fcntl.h>

#include <boost/asio/write.hpp>

namespace teleport {

namespace {

using boost::system::error_code;

}  // namespace

pipe_reader::pipe_reader(event_loop& loop, unique_fd fd)
    : stream_(std::make_shared<boost::asio::posix::stream_descriptor>(
          loop.context(), fd.release())) {}

void pipe_reader::read(std::size_t limit,
                       std::function<void(result<byte_buffer>)> done) {
  auto buffer = std::make_shared<byte_buffer>(limit);
  auto stream = stream_;
  stream->async_read_some(
      boost::asio::buffer(*buffer),
      [stream, buffer, done = std::move(done)](const error_code& failure,
                                               std::size_t size) {
        if (failure && failure != boost::asio::error::eof) {
          done(error(failure == boost::asio::error::operation_aborted
                         ? errc::cancelled
                         : errc::system,
                     "read from a pipe: " + failure.message()));
          return;
        }
        buffer->resize(size);
        done(std::move(*buffer));
      });
}

void pipe_reader::resize(std::size_t bytes) {
  (void)::fcntl(
      stream_->native_handle(), F_SETPIPE_SZ, static_cast<int>(bytes));
}

void pipe_reader::close() {
  error_code ignored;
  stream_->close(ignored);
}

struct pipe_writer::state {
  boost::asio::posix::stream_descriptor stream;
  std::function<void(error)> on_failure;
  std::function<void()> on_drained;
  std::deque<byte_buffer> queue;
  std::size_t queued = 0;
  bool writing = false;
  bool closed = false;
};

pipe_writer::pipe_writer(event_loop& loop,
                         unique_fd fd,
                         std::function<void(error)> on_failure,
                         std::function<void()> on_drained)
    : state_(std::make_shared<state>(state{
          boost::asio::posix::stream_descriptor(loop.context(), fd.release()),
          std::move(on_failure),
          std::move(on_drained),
          {},
          0,
          false,
          false})) {}

void pipe_writer::write(byte_buffer bytes) {
  if (state_->closed || bytes.empty()) {
    return;
  }
  state_->queued += bytes.size();
  state_->queue.push_back(std::move(bytes));
  if (!state_->writing) {
    go_on(state_);
  }
}

void pipe_writer::go_on(const std::shared_ptr<state>& self) {
  if (self->queue.empty()) {
    self->writing = false;
    if (self->on_drained) {
      self->on_drained();
    }
    return;
  }
  self->writing = true;
  boost::asio::async_write(
      self->stream,
      boost::asio::buffer(self->queue.front()),
      [self](const error_code& failure, std::size_t) {
        if (self->closed) {
          return;
        }
        if (failure) {
          self->closed = true;
          if (self->on_failure) {
            self->on_failure(
                {errc::system, "write to a pipe: " + failure.message()});
          }
          return;
        }
        self->queued -= self->queue.front().size();
        self->queue.pop_front();
        go_on(self);
      });
}

std::size_t pipe_writer::queued() const noexcept {
  return state_->queued;
}

void pipe_writer::close() {
  state_->closed = true;
  error_code ignored;
  state_->stream.close(ignored);
}

}  // namespace teleport
