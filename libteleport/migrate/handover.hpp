// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/handover.hpp: who may run the guest. Two state machines,
// one a side; at every instant at most one of them says "here".
//
// The source's promise is GO: from the moment it is journalled the source does
// not run the guest again before the destination has said that it does not and
// never will. The destination's promise is the answer to a query: having said
// "abandoned" (and journalled that first) it never runs the guest.
// PROTOCOL.md, section 6.
//
// Threads: plain values, driven by plain calls.

#ifndef LIBTELEPORT_MIGRATE_HANDOVER_HPP
#define LIBTELEPORT_MIGRATE_HANDOVER_HPP

#include <compare>
#include <cstdint>

namespace teleport {

/// What the destination's journal says of a teleport.
enum class destination_fate : std::uint8_t {
  /// It runs (or ran) there.
  running = 1,
  /// It does not and never will.
  abandoned = 2,
  /// GO was received, and what came of it is not known.
  uncertain = 3,
  /// It is being started at this moment: ask again.
  in_progress = 4,
  /// A guest of that uuid is there, paused: it may be started yet.
  paused = 5,
};

class source_handover {
 public:
  enum class state {
    moving,      ///< the guest is ours
    committing,  ///< GO is being journalled; not sent
    asked,       ///< GO may have left: the guest is nobody's until answered
    moved,       ///< the guest is theirs
    home,        ///< the guest stays here
    uncertain,   ///< a person must look at both ends
  };
  enum class action {
    none,
    journal_go,
    send_go,
    finish,           ///< journal "moved"; destroy ours; set disks aside
    stay,             ///< resume the guest if it is suspended
    ask_destination,  ///< connect anew and send QUERY
    report_uncertain,
  };

  [[nodiscard]] state at() const noexcept { return state_; }

  /// GUEST_RECEIVED: it is built and paused there, disks proven and durable.
  [[nodiscard]] action on_guest_received();
  /// @param durable  false when the journal could not be written
  [[nodiscard]] action on_journalled(bool durable);
  /// GO_RESULT.
  [[nodiscard]] action on_result(bool runs_there);
  /// Link lost, cancelled, or anything failed.
  [[nodiscard]] action on_failure();
  /// The answer to QUERY.
  [[nodiscard]] action on_fate(destination_fate fate);
  /// No answer came within the limit.
  [[nodiscard]] action on_no_answer();
  /// Begins in `asked`, for a teleport whose journal entry says go.
  [[nodiscard]] action recover();

  friend auto operator<=>(const source_handover&,
                          const source_handover&) = default;

 private:
  state state_ = state::moving;
};

class destination_handover {
 public:
  enum class state { building, ready, committing, starting, running, over };
  enum class action {
    none,
    journal_ready,  ///< then GUEST_RECEIVED
    journal_go,
    start_guest,      ///< give xl the permission to unpause
    journal_running,  ///< then GO_RESULT
    refuse,           ///< GO where none may come: close the connection
    /// Let xl destroy what was built; once it is gone, journal "abandoned",
    /// whatever the journal held: else a GO in it leaves the source uncertain.
    destroy,
    journal_abandoned,  ///< it never ran: then, when durable, GO_RESULT says so
    leave,  ///< the guest runs or may run: touch nothing, the journal tells
  };

  [[nodiscard]] state at() const noexcept { return state_; }

  /// xl has built the guest, paused, on proven and durable disks.
  [[nodiscard]] action on_built();
  [[nodiscard]] action on_go();
  /// @param durable  false when the journal could not be written
  [[nodiscard]] action on_journalled(bool durable);
  /// xl's report on unpausing.
  [[nodiscard]] action on_started(bool runs);
  /// Link lost, xl died, or anything failed.
  [[nodiscard]] action on_failure();

  friend auto operator<=>(const destination_handover&,
                          const destination_handover&) = default;

 private:
  state state_ = state::building;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_HANDOVER_HPP
