// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guardian.hpp: a small process that outlives a killed
// teleport and lets the guest go on at the source.
//
// A save that is killed leaves a guest suspended, or about to be. The guardian
// is started early as `PROGRAM --guardian DOMID UUID NAME JOURNAL`, in a
// session of its own, and waits on a socket. If the socket closes and nobody
// said "released", the teleport has died: the guardian asks the caller's
// predicate whether GO stands in the journal. If it does, or if that cannot be
// told, it touches nothing. Nor does it if no save of the teleport's had begun:
// a suspended guest is another program's then. Otherwise it withdraws a pending
// suspend request, waits for the save's helper process to be gone (ends it if
// it lingers), and resumes the guest if it is or becomes suspended. A guest
// that the teleport had paused for a moment is unpaused.
//
// Threads: start before threads matter; a handle has one owner.
// Blocks:  start_guardian until the guardian is on watch (under a second).

#ifndef LIBTELEPORT_XEN_GUARDIAN_HPP
#define LIBTELEPORT_XEN_GUARDIAN_HPP

#include <cstdint>
#include <functional>
#include <string>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

struct guardian_options {
  /// Program whose main() hands over to guardian_main(); default: ourselves.
  std::string program = "/proc/self/exe";
  std::uint32_t domid = 0;
  std::string uuid;
  /// The guest's proper name: given back if it was renamed meanwhile.
  std::string name;
  /// Handed to the predicate as it is; make it absolute.
  std::string journal;
  /// A descriptor with the guest's lock, or -1. The guardian holds it, too: no
  /// other teleport may suspend a guest that it is about to resume.
  int lock = -1;
};

/// The teleport's hold on its guardian. Dropping it without release() makes the
/// guardian act, as a crash would.
class guardian_handle {
 public:
  guardian_handle() = default;
  guardian_handle(unique_fd link, pid_t pid) noexcept;
  guardian_handle(guardian_handle&& other) noexcept;
  guardian_handle& operator=(guardian_handle&& other) noexcept;
  guardian_handle(const guardian_handle&) = delete;
  guardian_handle& operator=(const guardian_handle&) = delete;
  ~guardian_handle();

  /// Sends the guardian home: GO is journalled and its outcome known, or the
  /// guest was seen running. Waits for its end (at once).
  void release();
  /// The guest is about to be paused by us, or is not any more: what the
  /// guardian has to undo if we die in between.
  [[nodiscard]] result<void> note_pause(bool paused);
  /// Our save of the guest is about to begin: who finds it suspended after our
  /// death resumes it.
  [[nodiscard]] result<void> note_save();
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// False once the guardian is gone: then do not begin to suspend.
  [[nodiscard]] bool is_on_watch() const;

 private:
  [[nodiscard]] result<void> tell(char note);

  unique_fd link_;
  pid_t pid_ = -1;
};

/// Starts a guardian and waits until it is on watch.
[[nodiscard]] result<guardian_handle> start_guardian(
    const guardian_options& options);

/// True when GO stands in the journal. A journal that does not exist yet is
/// false; one that cannot be read is an error, and the guest stays as it is.
using go_predicate = std::function<result<bool>(const std::string& journal)>;

/// True when main() was called as a guardian: argv[1] is "--guardian".
[[nodiscard]] bool is_guardian_call(int argc, const char* const* argv) noexcept;

/// The guardian's whole life; call first thing in main(), then return its
/// value. Standard input is the link.
///
/// @return 0 released or guest seen running; 1 guest could not be resumed or
///         GO could not be ruled out; 2 wrong call
[[nodiscard]] int guardian_main(int argc,
                                const char* const* argv,
                                const go_predicate& is_go_journalled);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_GUARDIAN_HPP
