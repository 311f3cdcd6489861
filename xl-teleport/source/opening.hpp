// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/opening.hpp: what a teleport and a seed do alike at the
// source once they are connected: the link's pace, HELLO, this host's limits
// for the peer, and the record that says what is wanted.
//
// Threads: the loop's.

#ifndef XL_TELEPORT_SOURCE_OPENING_HPP
#define XL_TELEPORT_SOURCE_OPENING_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/format.hpp"
#include "libteleport/xen/facts.hpp"
#include "xl-teleport/setup/link_plan.hpp"
#include "xl-teleport/setup/peer_rights.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// The source's first record behind HELLO.
struct opening_record {
  const guest_info& guest;  ///< which the record is of
  record_type type{};       ///< OFFER or SEED
  std::string json;
  peer_deed deed{};  ///< what it comes to
};

/// Starts the link, and sends HELLO and the record. on_closed is told that the
/// link to the destination is lost, and why.
///
/// @param bwlimit  the session's own, --bwlimit
/// @error errc::refused where the peer's limits on this host do not allow it:
///        nothing was sent, and the link is closed
[[nodiscard]] result<void> open_session(connection& link,
                                        connection::handlers handlers,
                                        const settings& options,
                                        link_rate bwlimit,
                                        const opening_record& wanted);

/// Reads the records that a destination sends to a teleport and to a seed
/// alike: HELLO, PREPARED and FAIL. Another is looked at only where it has to
/// be empty.
///
/// @param host     as the user called it, for sentences
/// @param targets  PREPARED's, where the record is one
/// @error what FAIL says; a HELLO of another version; a body that is none
[[nodiscard]] result<void> read_setup(const raw_record& record,
                                      const std::string& host,
                                      std::vector<offered_target>& targets);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_OPENING_HPP
