// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/saver.hpp: a guest's memory and state into a pipe, by libxl.
//
// The saver runs libxl_domain_suspend on a thread of its own with a libxl
// context of its own. libxl runs a helper program that writes the stream.
// At success the guest is left suspended: destroy or resume it (domain.hpp).
// After a failure it may be suspended or not: ask toolstack::state().
//
// Threads: start, abort and the destructor from any thread; the callbacks come
//          from the save thread and may not call abort() or destroy the saver.
// Blocks:  start() briefly; the destructor until the save has ended, so abort
//          first and keep the pipe's other end moving, or close it.

#ifndef LIBTELEPORT_XEN_SAVER_HPP
#define LIBTELEPORT_XEN_SAVER_HPP

#include <cstdint>
#include <functional>
#include <memory>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// What a save tells. Empty functions are not called.
struct save_events {
  /// Pages sent in pass `iteration` (0: all of them, then the dirty ones).
  std::function<void(
      unsigned iteration, std::uint64_t done, std::uint64_t total)>
      on_progress;
  /// The guest is suspended now. The stream's last pages may still be on their
  /// way, and go on flowing while this call blocks; libxl's own records after
  /// them wait for its return.
  std::function<void()> on_suspended;
  /// The save has ended; our end of the pipe is closed. Called once, last.
  std::function<void(result<void>)> on_done;
};

class saver {
 public:
  /// Starts to save.
  ///
  /// @param pipe_write_end  of a pipe (not a socket that others use: libxl
  ///                        makes it blocking); closed when the save has ended
  /// @param live            the guest runs on until the last pass
  /// @error errc::unsupported when libxl cannot be opened; on_done is not
  ///        called
  [[nodiscard]] static result<std::unique_ptr<saver>> start(
      std::uint32_t domid,
      unique_fd pipe_write_end,
      bool live,
      save_events events);
  saver(const saver&) = delete;
  saver& operator=(const saver&) = delete;
  saver(saver&&) = delete;
  saver& operator=(saver&&) = delete;
  /// Waits for the save to end.
  ~saver();

  /// Asks libxl to give up. on_done follows with errc::cancelled, or with the
  /// save's own end if that came first. Does not wait; may be called twice.
  void abort();

 private:
  struct state_data;
  explicit saver(std::unique_ptr<state_data> data);
  std::unique_ptr<state_data> data_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_SAVER_HPP
