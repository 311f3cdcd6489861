// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/fate_course.hpp: how a destination finds its answer to a
// QUERY, in the order of PROTOCOL.md, section 6.6. The order is the point: who
// reads the journal before it holds the lock may promise `abandoned` while GO
// arrives, and the guest runs twice.
//
// One step comes out, what came of it goes in, until the step is `answer`.
//
// Threads: one owner. Blocks: never.

#ifndef LIBTELEPORT_SESSION_FATE_COURSE_HPP
#define LIBTELEPORT_SESSION_FATE_COURSE_HPP

#include <compare>
#include <cstdint>
#include <optional>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport {

class fate_course {
 public:
  enum class step : std::uint8_t {
    lock,          ///< the lock that the receiving process holds all its life
    read_journal,  ///< with the lock held
    look_at_xen,   ///< for a guest of the entry's uuid, or of the QUERY's
    journal_running,
    journal_abandoned,
    answer,  ///< with fate()
  };
  enum class seen_guest : std::uint8_t {
    absent,  ///< also when no uuid is known
    paused,
    running,  ///< or suspended, and so ran
    unknown,  ///< Xen did not say, or it is being destroyed
  };

  [[nodiscard]] step next() const noexcept { return next_; }
  /// @pre next() == step::answer
  [[nodiscard]] destination_fate fate() const noexcept { return fate_; }

  void on_lock(bool held);
  /// @param entry  nullopt: the journal has none, and so was lost: a source
  ///               asks after GO, which follows a durable `ready`
  void on_journal(std::optional<journal_state> entry);
  /// There is an entry that cannot be read.
  void on_journal_unreadable();
  void on_xen(seen_guest guest);
  /// @param durable  false when the journal could not be written
  void on_journalled(bool durable);

  friend auto operator<=>(const fate_course&, const fate_course&) = default;

 private:
  void answer(destination_fate fate);

  step next_ = step::lock;
  destination_fate fate_ = destination_fate::in_progress;
  bool has_entry_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_FATE_COURSE_HPP
