// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/failure.hpp: the body of FAIL, the last record of a side
// that gives up. PROTOCOL.md, section 6.7.
//
// Threads: pure functions.
// Trust:   decode_failure() is made for hostile bytes.

#ifndef LIBTELEPORT_WIRE_FAILURE_HPP
#define LIBTELEPORT_WIRE_FAILURE_HPP

#include <string>
#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

struct failure_note {
  /// A name of errc, or "source_gave_up"; at most 256 bytes.
  std::string code;
  /// For people.
  std::string sentence;
};

/// The JSON body. A sentence that the reader would refuse is made to fit: line
/// breaks and other control characters become blanks, and what is beyond 4096
/// bytes is cut off.
[[nodiscard]] byte_buffer encode(const failure_note& note);

/// @error errc::protocol, naming the field
[[nodiscard]] result<failure_note> decode_failure(byte_span body);

/// What a source says where one of the two hosts does not know the other's key:
/// errc::not_paired, with the command that pairs them.
///
/// @param why  "its key is unknown here"
[[nodiscard]] error not_paired(std::string_view host, std::string_view why);

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_FAILURE_HPP
