// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/error.hpp: known failures as values.
//
// A function that can fail in a foreseen way returns result<T>; the error says
// what kind it is (for decisions and exit codes) and, in `context`, what was
// tried, on what, and what was met (for people). Exceptions are for bugs.
//
// Threads: plain values.

#ifndef LIBTELEPORT_BASE_ERROR_HPP
#define LIBTELEPORT_BASE_ERROR_HPP

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace teleport {

/// Kinds of failure. Values are never reused or renumbered.
enum class errc {
  /// The operating system refused an operation; context holds its text.
  system = 1,
  /// A peer sent what PROTOCOL.md does not allow.
  protocol = 2,
  /// A file or database of ours is damaged or of another version.
  corrupt = 3,
  /// What was named does not exist.
  not_found = 4,
  /// What was asked is not supported here; context says what is.
  unsupported = 5,
  /// The user's input is wrong.
  bad_input = 6,
  /// No space is left on a store or in a map.
  no_space = 7,
  /// What is needed is in use by another.
  busy = 8,
  /// The peer closed the connection or cannot be reached.
  peer_lost = 9,
  /// A disk, a program or a barrier took longer than its limit.
  timeout = 10,
  /// Cancelled by the user or by a signal.
  cancelled = 11,
  /// A peer or a check of ours refused; context says why.
  refused = 12,
  /// Contents are not what their digest says.
  mismatch = 13,
  /// The peer is not paired with us, or shows another key.
  not_paired = 14,
  /// It is not known where the guest runs: a person must look.
  uncertain = 15,
};

/// A name for the kind, as it stands in JSON output: "peer_lost".
[[nodiscard]] std::string_view name_of(errc code) noexcept;

/// One failure: its kind, and a sentence in lower case without a full stop.
struct error {
  errc code = errc::system;
  std::string context;

  error() = default;
  error(errc kind, std::string what) : code(kind), context(std::move(what)) {}
};

/// An errc::system error from `errno_value`: "WHAT: No such file or directory".
/// ENOSPC, ENOENT and EBUSY become their own kinds.
[[nodiscard]] error system_error(int errno_value, std::string_view what);

/// `cause` with "WHAT: " before its context.
[[nodiscard]] error in_context(std::string_view what, error cause);

/// Called by result<T>::value() when there is none: a bug, so it throws.
[[noreturn]] void throw_exception_from_error(
    const error& cause, const boost::source_location& where);

template <class T>
using result = boost::system::result<T, error>;

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_ERROR_HPP
