// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/memory_mover.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// Bytes asked of the pipe at once, and its size: what is in them when the
/// guest is suspended is still to be sent, so they are as large as the room in
/// the queue. The kernel's limit for a pipe is higher for root, for others the
/// larger one.
constexpr std::size_t least_read = 128_KiB;
constexpr std::size_t most_read = 1_MiB;

}  // namespace

memory_mover::memory_mover(event_loop& loop,
                           events callbacks,
                           const std::string& record_folder,
                           const std::string& id)
    : loop_(loop),
      events_(std::move(callbacks)),
      recorder_(record_folder, id + ".sent") {}

result<void> memory_mover::start(std::uint32_t domid, bool live) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe for libxl");
  }
  unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);
  pipe_ = std::make_unique<pipe_reader>(loop_, std::move(read_end));
  fit_pipe(least_read);
  save_events saving;
  saving.on_suspended = [this] {
    loop_.post([this] { events_.on_suspended(); });
  };
  saving.on_done = [this](const result<void>& outcome) {
    loop_.post([this, outcome] {
      saved_ = std::make_unique<result<void>>(outcome);
      finish_if_over();
    });
  };
  auto started =
      saver::start(domid, std::move(write_end), live, std::move(saving));
  if (!started) {
    return started.error();
  }
  saver_ = std::move(*started);
  pump();
  return {};
}

/// A pipe of another size only costs wake-ups, or time while the guest stands.
void memory_mover::fit_pipe(std::size_t bytes) {
  if (bytes != pipe_bytes_) {
    pipe_bytes_ = bytes;
    pipe_->resize(bytes);
  }
}

void memory_mover::hold(bool held) {
  held_ = held;
  pump();
}

void memory_mover::pump() {
  const std::size_t room = events_.room();
  if (busy_ || pipe_over_ || held_ || !saver_ || events_.queued() >= room) {
    return;
  }
  busy_ = true;
  const std::size_t slice = room < most_read ? least_read : most_read;
  fit_pipe(slice);
  pipe_->read(slice,
              [this](result<byte_buffer> bytes) { take(std::move(bytes)); });
}

void memory_mover::take(result<byte_buffer> bytes) {
  if (aborted_ || !bytes || bytes->empty()) {
    busy_ = false;
    pipe_over_ = true;
    if (!bytes) {
      piped_ = bytes.error();
    } else if (!filter_.ended()) {
      piped_ = error(errc::protocol, "libxl's stream ended before its end");
    }
    finish_if_over();
    return;
  }
  loop_.work(
      [this, slice = std::move(*bytes)] {
        recorder_.add(slice);
        return filter_.feed(slice);
      },
      [this](result<std::vector<coded_piece>> pieces) {
        coded(std::move(pieces));
      });
}

void memory_mover::coded(result<std::vector<coded_piece>> pieces) {
  busy_ = false;
  statistics_ = filter_.statistics();
  if (!pieces) {
    piped_ = pieces.error();
    pipe_over_ = true;
    pipe_->close();  // libxl's next write fails, and so does the save
    finish_if_over();
    return;
  }
  if (aborted_) {
    pipe_over_ = true;
    finish_if_over();
    return;
  }
  for (coded_piece& piece : *pieces) {
    const bool last = piece.type == coded_piece::kind::end;
    events_.send(std::move(piece));
    if (last) {
      events_.on_sent();
    }
  }
  pump();
}

void memory_mover::abort() {
  if (aborted_ || !saver_) {
    return;
  }
  aborted_ = true;
  saver_->abort();
  pipe_->close();
  if (!busy_) {
    pipe_over_ = true;
  }
  finish_if_over();
}

void memory_mover::finish_if_over() {
  if (!saved_ || !pipe_over_ || busy_ || told_) {
    return;
  }
  told_ = true;
  events_.on_done(*saved_ ? piped_ : *saved_);
}

}  // namespace teleport
