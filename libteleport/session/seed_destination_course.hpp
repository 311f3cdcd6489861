// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/seed_destination_course.hpp: the course of a seed at the
// destination, from SEED on. PROTOCOL.md, section 7.
//
// No guest comes with a seed, so there is nothing to hand over: it ends with
// the disks kept as shadows, or with what has come of them kept for the next
// attempt. Events in, actions out, as in destination_course.hpp.
//
// Threads: one owner. Blocks: never. Trust: the records are a peer's.

#ifndef LIBTELEPORT_SESSION_SEED_DESTINATION_COURSE_HPP
#define LIBTELEPORT_SESSION_SEED_DESTINATION_COURSE_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// The states of PROTOCOL.md, section 7.
enum class seed_destination_state : std::uint8_t {
  offered,  ///< SEED is being looked at
  asked,    ///< the same, and PREPARE has come already
  answered,
  preparing,
  disks,
  keeping,  ///< DISKS_COMPLETE has come: made durable and booked
  refused,  ///< ANSWER had problems: nothing is to come
  over,
};

/// The name in PROTOCOL.md.
[[nodiscard]] std::string_view name_of(seed_destination_state at) noexcept;

class seed_destination_course {
 public:
  enum class action : std::uint8_t {
    none,
    prepare,        ///< locks and targets; then on_prepared()
    send_prepared,  ///< and read the link again
    rebuild,        ///< give the record to the disks' receiver
    keep,           ///< fsync every target and book it; then on_kept()
    send_seeded,
  };

  /// @param all_proven  every extent of every disk is, at this moment
  /// @error errc::protocol when the state does not allow it
  [[nodiscard]] result<action> on_record(record_type type, bool all_proven);
  /// @param welcome  the ANSWER has no problems
  /// @return what is to be done once ANSWER was sent
  [[nodiscard]] action on_considered(bool welcome) noexcept;
  [[nodiscard]] action on_prepared() noexcept;
  [[nodiscard]] action on_kept() noexcept;

  [[nodiscard]] seed_destination_state at() const noexcept { return at_; }

 private:
  seed_destination_state at_ = seed_destination_state::offered;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SEED_DESTINATION_COURSE_HPP
