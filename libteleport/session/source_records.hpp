// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/source_records.hpp: what a source sends is decoded once
// by a process that has no rights, before the one that makes disks and starts
// xl decodes it, too. JSON goes on as this program writes it, not as it came.
// Pure.
//
// Threads: one owner.
// Trust:   nothing of a record is believed before its decoder has accepted it.
//          Whether it comes at its time is for the course to say.

#ifndef LIBTELEPORT_SESSION_SOURCE_RECORDS_HPP
#define LIBTELEPORT_SESSION_SOURCE_RECORDS_HPP

#include "libteleport/base/error.hpp"
#include "libteleport/wire/framer.hpp"

namespace teleport {

class source_records {
 public:
  /// @return the record to pass on
  /// @error errc::protocol or errc::corrupt, as the record's decoder says
  [[nodiscard]] result<raw_record> check(raw_record record);

 private:
  /// A source of another version: it is told so. Of what it sends QUERY is
  /// passed on, and of the rest that it was sent.
  bool is_foreign_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SOURCE_RECORDS_HPP
