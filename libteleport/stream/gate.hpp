// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/stream/gate.hpp: the destination's hold on the stream's END.
//
// libxl opens the guest's disks when it has read the libxl END record, the last
// 8 bytes of its stream. Held back until every block is in, proven and on
// stable storage, they make the stock handshake between `xl migrate-receive`
// and the source enforce that the guest never runs on an unfinished disk. If
// anything is wrong, the pipe is closed instead: the restore fails.
//
// Decisions only. Threads: one owner; no locking.

#ifndef LIBTELEPORT_STREAM_GATE_HPP
#define LIBTELEPORT_STREAM_GATE_HPP

#include <compare>
#include <string>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/stream/formats.hpp"

namespace teleport {

/// Shut until all three conditions hold, in whatever order they come; then it
/// opens once.
class gate {
 public:
  /// stream_rebuild::complete(), and all its bytes are in the pipe.
  void stream_complete() noexcept { has_stream_ = true; }
  /// Every extent of every disk has the source's SHA-256, the writes before
  /// the suspension included.
  void disks_proven() noexcept { is_proven_ = true; }
  /// Every target was fsynced after its last write.
  void disks_durable() noexcept { is_durable_ = true; }
  /// Something failed: it never opens any more. No harm when already opened.
  void shut() noexcept { is_shut_ = true; }

  /// True while open() would give the record.
  [[nodiscard]] bool may_open() const noexcept {
    return has_stream_ && is_proven_ && is_durable_ && !is_shut_ && !is_open_;
  }
  /// True once open() gave the record.
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

  /// Gives out the 8 bytes of END, exactly once.
  ///
  /// @return bytes valid for the program's life
  /// @error errc::busy, saying what is missing, or that it was opened or shut
  [[nodiscard]] result<byte_span> open() {
    if (!may_open()) {
      return error(errc::busy, "the guest's stream is held: " + reason());
    }
    is_open_ = true;
    return byte_span(xen_stream::end_record);
  }

  friend auto operator<=>(const gate&, const gate&) = default;

 private:
  [[nodiscard]] std::string reason() const {
    if (is_open_) {
      return "its end was already given";
    }
    if (is_shut_) {
      return "the teleport has failed";
    }
    std::string missing = "waiting for";
    missing += has_stream_ ? "" : " [the whole stream]";
    missing += is_proven_ ? "" : " [the disks' proof]";
    missing += is_durable_ ? "" : " [the disks on stable storage]";
    return missing;
  }

  bool has_stream_ = false;
  bool is_proven_ = false;
  bool is_durable_ = false;
  bool is_shut_ = false;
  bool is_open_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_STREAM_GATE_HPP
