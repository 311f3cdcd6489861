// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/end_records.hpp: the bodies of the records that end a
// session: GO_RESULT, SEEDED, QUERY and QUERY_RESULT. FAIL, which may come from
// below a session, is in wire/failure.hpp. PROTOCOL.md, sections 6 and 7.2.
//
// Threads: pure functions.
// Trust:   the readers are made for hostile bodies.

#ifndef LIBTELEPORT_SESSION_END_RECORDS_HPP
#define LIBTELEPORT_SESSION_END_RECORDS_HPP

#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/session/setup_records.hpp"

namespace teleport {

/// What came of GO, and the destination's figures.
struct go_result {
  bool runs = false;
  std::string sentence;  ///< why not, when it does not
  rebuild_counts bulk;
  rebuild_counts rounds;
};

/// SEEDED: the disks are kept as shadows.
struct seed_result {
  std::vector<offered_target> disks;
  rebuild_counts bulk;
  rebuild_counts rounds;
};

[[nodiscard]] std::string to_json(const go_result& value);
[[nodiscard]] std::string to_json(const seed_result& value);

[[nodiscard]] result<go_result> read_go_result(std::string_view json);
[[nodiscard]] result<seed_result> read_seed_result(std::string_view json);

/// QUERY.
struct teleport_query {
  std::string id;    ///< the teleport's number: 32 digits 0-9 a-f
  std::string uuid;  ///< the guest's; empty from a source of release 0.1.0
};

/// @pre the id and the uuid are well formed
[[nodiscard]] byte_buffer encode(const teleport_query& query);
/// @error errc::protocol
[[nodiscard]] result<teleport_query> read_query(byte_span body);

/// QUERY_RESULT.
[[nodiscard]] byte_buffer encode(destination_fate fate);
/// @error errc::protocol for a number that is none of the five
[[nodiscard]] result<destination_fate> read_query_result(byte_span body);

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_END_RECORDS_HPP
