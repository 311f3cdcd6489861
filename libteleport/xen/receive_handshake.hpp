// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/receive_handshake.hpp: what is said to `xl migrate-receive`
// and by it. Pure; the process is xl_receiver.
//
// The order, all on xl's standard input and output:
//   xl says its banner; we send save_header(), then the libxl stream; xl says
//   it is ready (guest built, paused, disks attached); we send
//   permission_to_go(); xl unpauses and reports.
//
// Threads: one owner.
// Trust:   exactly what xl may say is accepted, in any pieces.

#ifndef LIBTELEPORT_XEN_RECEIVE_HANDSHAKE_HPP
#define LIBTELEPORT_XEN_RECEIVE_HANDSHAKE_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

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

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_RECEIVE_HANDSHAKE_HPP
