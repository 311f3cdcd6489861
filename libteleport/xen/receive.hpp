// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/receive.hpp: the destination's `xl migrate-receive`, as a
// child process, so that the guest gets xl's own life-cycle daemon.
//
// The order, all on xl's standard input and output:
//   xl says its banner; we send save_header(), then the libxl stream; xl says
//   it is ready (guest built, paused, disks attached); we send
//   permission_to_go(); xl unpauses and reports. receive_handshake follows what
//   xl says; the receiver is the process. The caller moves the bytes.
// To give up before GO: close xl's input. It then destroys what it had made.
//
// Threads: receive_handshake: one owner. receiver: one owner; its log callback
//          comes from a thread of its own.
// Trust:   receive_handshake accepts exactly what xl may say, in any pieces.

#ifndef LIBTELEPORT_XEN_RECEIVE_HPP
#define LIBTELEPORT_XEN_RECEIVE_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// What goes before the libxl stream: xl's 48 byte header, a u32 length and
/// the configuration with its NUL.
[[nodiscard]] byte_buffer save_header(const std::string& config_json);

/// GO: 44 bytes with their NUL. Once written, xl runs the guest.
[[nodiscard]] byte_span permission_to_go() noexcept;

/// Follows what `xl migrate-receive` says on its standard output.
class receive_handshake {
 public:
  enum class stage {
    /// Nothing may be sent yet.
    waiting_for_banner,
    /// xl takes the header and the stream.
    restoring,
    /// The guest is built and paused: GO may be sent.
    ready,
    /// xl said that the guest runs.
    running,
    /// xl could not run the guest, and has not destroyed its copy yet.
    failed,
    /// xl could not run the guest and has destroyed its copy: the source may
    /// resume its own.
    given_back,
  };

  /// Takes in what xl wrote, any length.
  ///
  /// @error errc::protocol for anything xl would not say at this point; the
  ///        handshake is over then, and every later call fails as well
  [[nodiscard]] result<void> feed(byte_span bytes);
  /// Tells that GO is being sent: only now may xl report success.
  /// @pre at() == stage::ready
  void go_sent();
  [[nodiscard]] stage at() const noexcept { return stage_; }
  /// xl's status byte once it has reported: 0 for success.
  [[nodiscard]] std::optional<unsigned> status() const noexcept {
    return status_;
  }

 private:
  [[nodiscard]] std::string_view expected() const noexcept;
  [[nodiscard]] result<void> take_status(unsigned status);

  stage stage_ = stage::waiting_for_banner;
  std::size_t matched_ = 0;  // bytes of expected() seen
  bool report_seen_ = false;
  bool go_sent_ = false;
  bool broken_ = false;
  std::optional<unsigned> status_;
};

struct receiver_options {
  /// Program found by PATH, or a path.
  std::string xl = "xl";
  /// Leave the guest paused after GO.
  bool paused = false;
  /// Every line that xl writes to its standard error; default: the debug log.
  std::function<void(std::string_view line)> on_line;
};

/// A running `xl migrate-receive`.
class receiver {
 public:
  [[nodiscard]] static result<std::unique_ptr<receiver>> start(
      receiver_options options = {});
  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;
  receiver(receiver&&) = delete;
  receiver& operator=(receiver&&) = delete;
  /// Closes what is left of the pipes, gives xl up to `give_up_time` to clean
  /// up, then kills it.
  ~receiver();

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
  explicit receiver(std::unique_ptr<state_data> data);
  std::unique_ptr<state_data> data_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_RECEIVE_HPP
