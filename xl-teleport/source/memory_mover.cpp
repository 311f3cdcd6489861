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

/// libxl's pipe is not read while this much of its stream is queued for the
/// link: the longer the queue, the older the pages in it.
constexpr std::size_t max_queued = 4_MiB;

/// Bytes asked of the pipe at once.
constexpr std::size_t read_bytes = 1_MiB;

/// The pipe's size; the kernel's limit for root is higher, for others this.
constexpr int pipe_bytes = 1 << 20;

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
  // A smaller pipe only costs wake-ups.
  (void)::fcntl(write_end.get(), F_SETPIPE_SZ, pipe_bytes);
  pipe_ = std::make_unique<pipe_reader>(loop_, std::move(read_end));
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

void memory_mover::pump() {
  if (busy_ || pipe_over_ || !saver_ || events_.queued() >= max_queued) {
    return;
  }
  busy_ = true;
  pipe_->read(read_bytes,
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
