// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/destination_course.hpp: the course of a teleport at the
// destination: which record the state allows, and what follows from a record or
// from a step that was done. PROTOCOL.md, sections 2.3, 3.6, 4.7 and 6.
//
// An event goes in, the actions that follow come out, to be done in their
// order. The driver does them and tells what came of them. The course knows no
// socket, no disk, no xl and no clock. A journal write is always the last of
// its list: what depends on it comes out of on_journalled().
//
// Threads: one owner. Blocks: never.
// Trust:   records are a peer's, and any may come at any time; the other events
//          are the driver's own.

#ifndef LIBTELEPORT_SESSION_DESTINATION_COURSE_HPP
#define LIBTELEPORT_SESSION_DESTINATION_COURSE_HPP

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/action_queue.hpp"
#include "libteleport/stream/gate.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// The states of PROTOCOL.md, section 3.6.
enum class destination_state : std::uint8_t {
  connected,  ///< HELLO has not come
  greeted,
  foreign,    ///< HELLO named another version: QUERY alone is answered
  asked,      ///< QUERY is being answered
  offered,    ///< OFFER is being looked at
  answered,   ///< without problems
  preparing,  ///< PREPARE is being done
  disks,
  waiting,   ///< for its turn: the memory of another guest arrives
  turn,      ///< its memory may be sent
  starting,  ///< xl is being started with GUEST_CONFIG; the link is not read
  memory,
  flushing,   ///< DISKS_COMPLETE has come, DISKS_DURABLE has not been sent
  durable,    ///< DISKS_DURABLE has been sent
  ready,      ///< GUEST_RECEIVED has been sent
  committed,  ///< GO has come
  seeding,    ///< SEED has come: seed_destination_course has every record
  leaving,    ///< failed before the guest could run; not yet cleared away
  over,
};

/// What a state waits for; for how long is source_silence.hpp's matter.
enum class awaited : std::uint8_t {
  ourselves,  ///< a step of the destination's own
  opening,    ///< what the source wants
  source,     ///< its next record
};

struct destination_state_row {
  destination_state state{};
  std::string_view name;  ///< in PROTOCOL.md
  awaited waits_for{};
};

/// Every state that there is, in the order of PROTOCOL.md, section 3.6.
inline constexpr std::array<destination_state_row, 19> destination_state_rows{{
    {destination_state::connected, "connected", awaited::opening},
    {destination_state::greeted, "greeted", awaited::opening},
    {destination_state::foreign, "foreign", awaited::opening},
    {destination_state::offered, "offered", awaited::ourselves},
    {destination_state::answered, "answered", awaited::source},
    {destination_state::preparing, "preparing", awaited::ourselves},
    {destination_state::disks, "disks", awaited::source},
    {destination_state::waiting, "waiting", awaited::ourselves},
    {destination_state::turn, "turn", awaited::source},
    {destination_state::starting, "starting", awaited::ourselves},
    {destination_state::memory, "memory", awaited::source},
    {destination_state::flushing, "flushing", awaited::ourselves},
    {destination_state::durable, "durable", awaited::source},
    {destination_state::ready, "ready", awaited::source},
    {destination_state::committed, "committed", awaited::ourselves},
    {destination_state::asked, "asked", awaited::ourselves},
    {destination_state::seeding, "seeding", awaited::ourselves},
    {destination_state::leaving, "leaving", awaited::ourselves},
    {destination_state::over, "over", awaited::ourselves},
}};

static_assert(
    [] {
      for (std::size_t i = 0; i < destination_state_rows.size(); ++i) {
        const auto state = static_cast<destination_state>(i);
        std::size_t rows = 0;
        for (const destination_state_row& row : destination_state_rows) {
          rows += row.state == state ? 1U : 0U;
        }
        if (rows != 1) {
          return false;
        }
      }
      return destination_state_rows.size() ==
             static_cast<std::size_t>(destination_state::over) + 1;
    }(),
    "each state has one row");

[[nodiscard]] constexpr const destination_state_row& row_of(
    destination_state at) noexcept {
  for (const destination_state_row& row : destination_state_rows) {
    if (row.state == at) {
      return row;
    }
  }
  return destination_state_rows.back();
}

/// The name in PROTOCOL.md.
[[nodiscard]] constexpr std::string_view name_of(
    destination_state at) noexcept {
  return row_of(at).name;
}

class destination_course {
 public:
  enum class action : std::uint8_t {
    greet,         ///< send HELLO, then check the body of the one that came
    answer_query,  ///< find out, send QUERY_RESULT; then on_query_answered()
    receive_seed,  ///< give SEED and all that follows to a seed's course
    consider,      ///< look at the OFFER; then on_considered()
    send_answer,
    prepare,  ///< locks, journal `building`, targets; then on_prepared()
    send_prepared,
    rebuild,    ///< give the record to the disks' receiver
    take_turn,  ///< wait until no other guest's memory arrives; on_turn()
    send_turn,  ///< TURN, or what was kept back of a source that knows none
    start_xl,   ///< with GUEST_CONFIG, reading nothing; on_xl_started()
    feed_xl,    ///< rebuild STREAM_PIECE; once all is in: on_stream_complete()
    flush,      ///< fsync every target; then on_flushed()
    run_gate_hook,  ///< then on_gate_hook()
    journal_ready,  ///< then on_journalled(), as after each journal_X
    journal_go,
    unpause,  ///< give xl its permission; then on_started() or on_xl_failed()
    journal_running,
    journal_abandoned,
    send_go_result,       ///< guest_runs() is in it
    hand_disks_to_guest,  ///< then on_disks_left()
    put_disks_back,       ///< for the next attempt; then on_disks_left()
    send_fail,            ///< with the cause that the driver knows
    close_link,
    /// Let xl destroy what was built and wait until it, and every job on the
    /// disks, is gone; then on_destroyed().
    destroy,
    end,  ///< of the session; succeeded() is its exit code
  };
  /// DISKS_DURABLE and GUEST_RECEIVED have no body.
  using step = course_step<action>;
  using actions = std::vector<step>;

  /// OFFERs of one session: each is answered with up to 1 MiB, whether the
  /// source reads it or not, after a look at Xen and the store. No release has
  /// sent a second one.
  static constexpr std::uint8_t most_offers = 4;

  [[nodiscard]] destination_state at() const noexcept { return at_; }
  [[nodiscard]] bool guest_runs() const noexcept { return runs_; }
  [[nodiscard]] bool succeeded() const noexcept { return succeeded_; }
  /// EXTENT_DATA may come, now or once xl is started.
  [[nodiscard]] bool takes_blocks() const noexcept {
    return at_ >= destination_state::disks && at_ <= destination_state::memory;
  }
  /// The source has sent all: the hook and xl have the rest to do.
  [[nodiscard]] bool is_at_gate() const noexcept {
    return gate_.may_open() || gate_.is_open();
  }

  /// A record's header has come; the driver checks its body.
  ///
  /// @param all_proven  every extent of every disk is, at this moment
  /// @error errc::protocol when the state does not allow it: on_refused()
  [[nodiscard]] result<actions> on_record(record_type type, bool all_proven);
  /// The HELLO that was greeted has another version than ours.
  void on_other_version() noexcept;
  [[nodiscard]] actions on_query_answered();
  /// @param welcome  the ANSWER has no problems
  [[nodiscard]] actions on_considered(bool welcome);
  [[nodiscard]] actions on_prepared();
  /// Every extent of a source that sends no ASK_TURN is proven, which it was
  /// not told yet. Nothing follows where its turn was taken before.
  [[nodiscard]] actions on_last_proof();
  /// No other guest's memory arrives until this one's has.
  [[nodiscard]] actions on_turn();
  /// xl has the configuration; the link is read again.
  void on_xl_started() noexcept;
  /// The end piece was right, and xl has been given all before END.
  [[nodiscard]] actions on_stream_complete();
  /// Every target was fsynced since DISKS_COMPLETE came.
  [[nodiscard]] actions on_flushed();
  /// The hook agreed.
  ///
  /// @return libxl's END record, for xl
  /// @error errc::busy when the gate is shut or was opened: write nothing
  [[nodiscard]] result<byte_span> on_gate_hook();
  /// xl has built the guest, paused.
  [[nodiscard]] actions on_built();
  /// @param written  what was written; passed over if nobody waits for it
  /// @param durable  false when the journal could not be written
  [[nodiscard]] actions on_journalled(journal_state written, bool durable);
  /// xl's report on unpausing.
  [[nodiscard]] actions on_started(bool runs);
  /// xl died, or said what it may not say.
  [[nodiscard]] actions on_xl_failed();
  /// The link is lost, the session is cancelled, or a step of ours failed.
  [[nodiscard]] actions on_failure();
  /// The peer sent what is refused.
  [[nodiscard]] actions on_refused();
  /// @param gone  xl has ended; false: it is still there, so nothing is
  ///        promised
  [[nodiscard]] actions on_destroyed(bool gone);
  /// The disks are the guest's, or put back.
  [[nodiscard]] actions on_disks_left() const;
  /// SEEDED was queued.
  [[nodiscard]] actions on_seeded();

  friend auto operator<=>(const destination_course&,
                          const destination_course&) = default;

 private:
  [[nodiscard]] actions on_go();
  [[nodiscard]] actions open_when_ready() const;
  [[nodiscard]] actions follow(destination_handover::action todo);
  [[nodiscard]] actions write(journal_state entry, action how);
  [[nodiscard]] actions leave();
  [[nodiscard]] actions succeed();

  destination_state at_ = destination_state::connected;
  destination_handover handover_;
  gate gate_;
  /// The journal write that is under way.
  std::optional<journal_state> writing_;
  std::uint8_t offers_ = 0;
  bool runs_ = false;
  bool succeeded_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_DESTINATION_COURSE_HPP
