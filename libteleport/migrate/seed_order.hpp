// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/seed_order.hpp: the order of a seed at the destination:
// which record may come when. PROTOCOL.md, section 7.
//
// No guest comes with a seed, so there is nothing to hand over: it ends with
// the disks kept, or with what has come of them kept for the next attempt.
//
// Threads: one owner. Trust: the records are a peer's.

#ifndef LIBTELEPORT_MIGRATE_SEED_ORDER_HPP
#define LIBTELEPORT_MIGRATE_SEED_ORDER_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

class seed_order {
 public:
  enum class state {
    considering,  ///< SEED is here and not yet answered
    asked,        ///< the same, and PREPARE is here already
    answered,
    preparing,
    disks,
    keeping,  ///< complete: made durable and booked
    over,
  };

  /// What is to be done about a record that came in time.
  enum class step { wait, prepare, take_in, keep };

  /// @param all_proven  every extent of every disk is, at this moment
  /// @error errc::protocol when it is not this record's time
  [[nodiscard]] result<step> on_record(record_type type, bool all_proven) {
    if (type == record_type::prepare && at_ == state::considering) {
      at_ = state::asked;
      return step::wait;
    }
    if (type == record_type::prepare && at_ == state::answered) {
      at_ = state::preparing;
      return step::prepare;
    }
    if ((type == record_type::extents || type == record_type::block_digests ||
         type == record_type::extent_data) &&
        at_ == state::disks) {
      return step::take_in;
    }
    if (type == record_type::disks_complete && at_ == state::disks) {
      if (!all_proven) {
        return error(errc::protocol, "the disks are not all proven");
      }
      at_ = state::keeping;
      return step::keep;
    }
    return error(errc::protocol,
                 "record type " + std::to_string(static_cast<unsigned>(type)) +
                     " out of time in a seed");
  }

  /// @param welcome  nothing stands in the way
  /// @return what is to be done once ANSWER was sent
  step on_considered(bool welcome) noexcept {
    const bool go_on = welcome && at_ == state::asked;
    at_ = go_on ? state::preparing : welcome ? state::answered : state::over;
    return go_on ? step::prepare : step::wait;
  }
  void on_prepared() noexcept { at_ = state::disks; }
  void on_kept() noexcept { at_ = state::over; }

  [[nodiscard]] state at() const noexcept { return at_; }

 private:
  state at_ = state::considering;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_SEED_ORDER_HPP
