// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xl_receiver.hpp: the destination's `xl migrate-receive`, as a
// child process, so that the guest gets xl's own life-cycle daemon.
//
// receive_handshake follows what xl says; the caller moves the bytes. To give
// up before GO: close xl's input. xl then destroys what it had made.
//
// Threads: one owner; the callback for lines comes from a thread of its own.

#ifndef LIBTELEPORT_XEN_XL_RECEIVER_HPP
#define LIBTELEPORT_XEN_XL_RECEIVER_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

struct xl_receiver_options {
  /// Program found by PATH, or a path.
  std::string xl = "xl";
  /// Leave the guest paused after GO.
  bool paused = false;
  /// Every line that xl writes to its standard error; default: the debug log.
  std::function<void(std::string_view line)> on_line;
};

/// A running `xl migrate-receive`.
class xl_receiver {
 public:
  [[nodiscard]] static result<std::unique_ptr<xl_receiver>> start(
      xl_receiver_options options = {});
  xl_receiver(const xl_receiver&) = delete;
  xl_receiver& operator=(const xl_receiver&) = delete;
  xl_receiver(xl_receiver&&) = delete;
  xl_receiver& operator=(xl_receiver&&) = delete;
  /// Closes what is left of the pipes, gives xl up to `give_up_time` to clean
  /// up, then kills it.
  ~xl_receiver();

  /// Write end of xl's standard input, or the owner of it if taken. Blocking
  /// mode; the caller may set O_NONBLOCK, xl does not share it.
  [[nodiscard]] int stdin_fd() const noexcept;
  /// Read end of xl's standard output, as above.
  [[nodiscard]] int stdout_fd() const noexcept;
  /// Hands the descriptors over to the caller, who closes them.
  [[nodiscard]] unique_fd take_stdin() noexcept;
  [[nodiscard]] unique_fd take_stdout() noexcept;
  /// Closes xl's input: before GO, this makes xl give up.
  void close_stdin() noexcept;
  [[nodiscard]] pid_t pid() const noexcept;

  /// Waits for xl to end. What became of the guest is told by the handshake,
  /// not by this: xl was seen to exit with 0 after it had given a guest back.
  ///
  /// @return its exit status, or 128 + the signal that ended it
  /// @error errc::timeout: it still runs
  [[nodiscard]] result<int> wait(std::chrono::milliseconds timeout);
  /// The last lines of xl's standard error, for a person.
  [[nodiscard]] std::string last_words() const;

  /// Destroying a half-built guest took xl under 3 s in the slowest emulated
  /// host; a hotplug script may hang for 40 s (libxl's own limit).
  static constexpr std::chrono::seconds give_up_time{60};

 private:
  struct state_data;
  explicit xl_receiver(std::unique_ptr<state_data> data);
  std::unique_ptr<state_data> data_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_XL_RECEIVER_HPP
