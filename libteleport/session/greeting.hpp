// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/greeting.hpp: what every session says and hears first and
// last, in one way: HELLO and its version, FAIL, and a record that may not come
// now. PROTOCOL.md, sections 2.1, 2.3, 3.1 and 6.7.
//
// Threads: pure functions.
// Trust:   the bodies are a peer's.

#ifndef LIBTELEPORT_SESSION_GREETING_HPP
#define LIBTELEPORT_SESSION_GREETING_HPP

#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// HELLO's body, as this release sends it.
[[nodiscard]] byte_buffer own_hello();

/// Checks the body of the peer's HELLO.
///
/// @param peer  who sent it, for people: a host's name, or "the source"
/// @error errc::unsupported for another version, naming both; errc::protocol
[[nodiscard]] result<void> check_hello(byte_span body, std::string_view peer);

/// What a source reports after the FAIL of `host`. errc::not_paired, with the
/// command that pairs the hosts, where the destination does not know the key.
[[nodiscard]] error failure_of_destination(byte_span body,
                                           std::string_view host);
/// What a destination reports after the source's FAIL.
[[nodiscard]] error failure_of_source(byte_span body);

/// A record that the state does not allow, or that its sender never may send:
/// errc::protocol.
///
/// @param sender  source or destination
/// @param state   its name in PROTOCOL.md, section 3.6; "" where none is known
[[nodiscard]] error out_of_state(record_sender sender,
                                 record_type type,
                                 std::string_view state);

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_GREETING_HPP
