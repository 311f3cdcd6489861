// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/memory_mover.hpp: the guest's memory at the source: libxl
// saves into a pipe, the filter codes what comes out, the link takes it away.
//
// The pipe is read only while the link keeps up, and not while the disks'
// rounds hold the memory: libxl then waits, and the guest runs on. What waits
// for the link is sent while the guest stands, if it is suspended now.
//
// Threads: the loop's thread; libxl on a thread of its own, coding on the pool.

#ifndef XL_TELEPORT_SOURCE_MEMORY_MOVER_HPP
#define XL_TELEPORT_SOURCE_MEMORY_MOVER_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/pipe.hpp"
#include "libteleport/stream/stream_filter.hpp"
#include "libteleport/xen/saver.hpp"
#include "xl-teleport/setup/stream_recorder.hpp"

namespace teleport {

class memory_mover {
 public:
  struct events {
    std::function<void(coded_piece)> send;
    /// Bytes of pieces that wait for the link, and how many may.
    std::function<std::size_t()> queued;
    std::function<std::size_t()> room;
    std::function<void()> on_suspended;
    /// The stream's end was given to send(); libxl may still be at work.
    std::function<void()> on_sent;
    /// The stream has been sent whole, or libxl failed or was aborted.
    std::function<void(result<void>)> on_done;
  };

  memory_mover(event_loop& loop,
               events callbacks,
               const std::string& record_folder,
               const std::string& id);

  [[nodiscard]] result<void> start(std::uint32_t domid, bool live);
  /// The link has taken what was queued.
  void pump();
  /// Reads the pipe no more, until it is to be read again.
  void hold(bool held);
  /// Makes libxl give up; on_done follows.
  void abort();

  [[nodiscard]] const stream_statistics& statistics() const noexcept {
    return statistics_;
  }

 private:
  void fit_pipe(std::size_t bytes);
  void take(result<byte_buffer> bytes);
  void coded(result<std::vector<coded_piece>> pieces);
  void finish_if_over();

  event_loop& loop_;
  events events_;
  stream_recorder recorder_;
  stream_filter filter_;  ///< the pool's while `busy_`
  stream_statistics statistics_;
  std::unique_ptr<pipe_reader> pipe_;
  std::unique_ptr<saver> saver_;
  std::size_t pipe_bytes_ = 0;
  bool busy_ = false;  ///< a read or the coding of one is under way
  bool held_ = false;
  bool pipe_over_ = false;
  bool aborted_ = false;
  bool told_ = false;
  std::unique_ptr<result<void>> saved_;  ///< libxl's outcome
  result<void> piped_;                   ///< ours
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_MEMORY_MOVER_HPP
