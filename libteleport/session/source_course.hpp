// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/source_course.hpp: the course of a teleport at its
// source, as a value: what has happened goes in by on_...(), what is to be done
// comes out of next(). PROTOCOL.md, sections 2.3, 3.2 and 3.6.
//
// The course decides which record may come, when a round follows, when the
// memory is sent, when GO is given, and what a failure comes to. The driver
// does what next() says until it says nothing, and reports how it went. An
// action may be answered by an event at once, from within.
//
// Threads: one owner; plain calls. Time is given, nothing is measured here.
// Trust:   records are a peer's: those that may not come now are refused.

#ifndef LIBTELEPORT_SESSION_SOURCE_COURSE_HPP
#define LIBTELEPORT_SESSION_SOURCE_COURSE_HPP

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/convergence.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/session/action_queue.hpp"
#include "libteleport/session/downtime.hpp"
#include "libteleport/session/link_gauge.hpp"
#include "libteleport/session/memory_brake.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// What the source's driver is to do next, beside sending records that have no
/// body: PREPARE, ASK_TURN (the memory waits for TURN), DISKS_COMPLETE, GO.
enum class source_action : std::uint8_t {
  /// Nothing was touched anywhere: close the link and report why.
  end_untouched,
  /// Lock the guest, journal `moving`, start the guardian, attach the trackers;
  /// then on_attached().
  attach,
  start_bulk,  ///< read and hash; nothing is announced before targets_ready
  targets_ready,
  weigh,              ///< take the marks; then on_weighed()
  weigh_after_pause,  ///< on_pause_over() after round_pause()
  start_round,        ///< send what was weighed; then on_pass_done()
  /// What others did to the guest meanwhile (xen/guest_change.hpp): before its
  /// memory is sent, and once all of it was; then on_looked().
  look_at_guest,
  start_memory,    ///< send GUEST_CONFIG, start libxl's save
  give_up,         ///< the guest writes too fast: call on_failure(), saying so
  hold_memory,     ///< read nothing of libxl's stream until it is released
  release_memory,  ///< read it again
  /// The guest is suspended: wait for its last writes, take their marks, audit
  /// the trackers; then on_last_marks().
  take_last_marks,
  send_last_blocks,  ///< then on_blocks_sent() and on_pass_done()
  journal_go,        ///< then on_journalled()
  /// Journal `moved`, destroy the guest here, set its disks aside.
  finish,
  /// The guest stays: send FAIL, stop the disks and the memory; then
  /// on_disks_at_rest() and on_saved().
  stop,
  /// libxl's save is over: resume the guest if it is suspended, journal `home`.
  resume_guest,
  /// The same where no save was begun: a guest that is suspended all the same
  /// is another program's, which resumes or destroys it.
  leave_guest,
  ask,         ///< close the link, stop the disks, QUERY; then on_fate()
  ask_beside,  ///< QUERY on a link of its own, and GO_RESULT is still awaited
  report_uncertain,  ///< a person must look at both hosts
};

using source_step = course_step<source_action>;

class source_course {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// PROTOCOL.md, section 3.6, from the source's end of the link.
  enum class state : std::uint8_t {
    greeting,   ///< HELLO and OFFER are sent; HELLO is awaited
    offered,    ///< ANSWER is awaited
    answered,   ///< it is welcome there; its disks are attached here
    preparing,  ///< PREPARE is sent; PREPARED is awaited
    disks,      ///< bulk and rounds
    memory,     ///< GUEST_CONFIG is sent; rounds go on beside the memory
    ready,      ///< GUEST_RECEIVED has come
    committed,  ///< GO is sent: the guest is nobody's until it is answered
    asking,     ///< the link is lost after GO
    staying,    ///< the guest stays; what was begun is being stopped
    over,
  };
  /// What the disks do, from PREPARED on.
  enum class blocks : std::uint8_t {
    none,
    bulk,
    weighing,
    round,
    pausing,      ///< between two rounds beside the memory, or before its turn
    last_marks,   ///< suspended; the last writes' marks are being taken
    last_blocks,  ///< and their blocks sent and proven
    complete,     ///< DISKS_COMPLETE is sent
    durable,      ///< DISKS_DURABLE has come
  };
  /// What the driver knows when something happens.
  struct moment {
    time_point time;
    link_use link;  ///< from its beginning
    friend auto operator<=>(const moment&, const moment&) = default;
  };

  /// GO_RESULT follows GO after a round trip, a journal's fsync and xl's
  /// unpausing. A destination that needs longer is asked.
  static constexpr std::chrono::seconds answer_patience{10};

  /// @param limit  of the time that the guest is suspended before GO; nullopt:
  ///               as long as it takes
  explicit source_course(
      downtime_budget budget,
      std::optional<std::chrono::milliseconds> limit = std::nullopt)
      : convergence_(budget), limit_(limit) {}

  /// The next thing to do; nullopt when only events can bring more.
  [[nodiscard]] std::optional<source_step> next() { return actions_.next(); }

  /// Whether a record may come now.
  /// @error errc::protocol, naming the record and the state
  [[nodiscard]] result<void> may_come(record_type type) const;
  /// A record has come whose body is right.
  ///
  /// @param good  of ANSWER: nothing stands in the way, and it is to begin; of
  ///              GO_RESULT: the guest runs there; of others unused
  /// @error as may_come()
  [[nodiscard]] result<void> on_record(record_type type,
                                       bool good,
                                       const moment& now);

  /// The destination gives turns, as its ANSWER says: called before that goes
  /// to on_record().
  void needs_turn() noexcept { turn_ = turn::needed; }
  /// @param well  false: on_failure() follows
  void on_attached(bool well);
  /// All of the pass is proven at the destination.
  void on_pass_done(const moment& now);
  /// @param dirty  bytes written since the marks were taken last
  void on_weighed(std::uint64_t dirty, const moment& now);
  void on_pause_over();
  /// The guest is the one that was offered, with the same disks.
  void on_looked(time_point now);
  void on_suspended(time_point now);
  void on_last_marks(time_point now);
  /// The last of the last blocks was given to the link.
  void on_blocks_sent(time_point now);
  /// The end of libxl's stream was given to the link.
  void on_stream_sent(time_point now);
  /// libxl's save is over, and its thread has returned.
  /// @param well  false: on_failure() follows, unless the guest stays already
  void on_saved(bool well, time_point now);
  void on_journalled(bool durable, time_point now);
  void on_fate(destination_fate fate);
  /// Nobody answered QUERY within the limit.
  void on_no_answer();
  /// No job uses the disks, and none will.
  void on_disks_at_rest();

  /// When on_time() is to be called; nullopt: no limit of time runs.
  [[nodiscard]] std::optional<time_point> due() const;
  /// @return true: the guest has been suspended for too long, and GO was not
  ///         given: on_failure() follows
  [[nodiscard]] bool on_time(time_point now);

  /// The link is lost, it was cancelled, or anything failed.
  /// @return false: what counts was decided before; the failure is no news
  [[nodiscard]] bool on_failure();

  [[nodiscard]] state at() const noexcept { return state_; }
  [[nodiscard]] blocks at_blocks() const noexcept { return blocks_; }
  /// Records are looked at. Else what still comes is passed over.
  [[nodiscard]] bool listens() const noexcept {
    return state_ <= state::committed;
  }
  /// The destination was asked for targets, or is about to be.
  [[nodiscard]] bool has_begun() const noexcept { return begun_; }
  /// False once the guest was given to the destination.
  [[nodiscard]] bool may_cancel() const noexcept;
  [[nodiscard]] bool is_suspended() const noexcept {
    return downtime_.has(downtime_step::suspended);
  }
  /// The memory waits for the turn that the destination was asked for.
  [[nodiscard]] bool waits_for_turn() const noexcept {
    return state_ == state::disks && turn_ == turn::asked;
  }
  /// libxl's save runs, or its thread has not returned.
  [[nodiscard]] bool is_saving() const noexcept {
    return save_ == save::running || save_ == save::sent;
  }
  [[nodiscard]] std::chrono::milliseconds round_pause() const noexcept {
    return pause_;
  }
  /// Rounds begun, the last blocks aside.
  [[nodiscard]] unsigned rounds() const noexcept { return rounds_; }
  /// Bytes that were weighed last.
  [[nodiscard]] std::uint64_t left() const noexcept { return left_; }
  [[nodiscard]] const convergence& plan() const noexcept {
    return convergence_;
  }
  [[nodiscard]] const downtime_log& downtime() const noexcept {
    return downtime_;
  }

  friend auto operator<=>(const source_course&, const source_course&) = default;

 private:
  enum class save : std::uint8_t { not_begun, running, sent, over };
  enum class turn : std::uint8_t { not_needed, needed, asked, given };

  [[nodiscard]] bool is_due(record_type type) const noexcept;
  void add(source_step todo) { actions_.add(todo); }
  void follow(source_handover::action todo);
  void begin_pass(blocks kind, const moment& now);
  void pause_for(std::chrono::milliseconds pause);
  [[nodiscard]] next_step judge(std::uint64_t dirty);
  void approach_memory();
  void begin_memory();
  void weigh_beside_memory(std::uint64_t dirty);
  void take_last_marks();
  void commit_when_saved();
  void resume_when_at_rest();

  convergence convergence_;
  memory_brake brake_;
  std::optional<std::chrono::milliseconds> limit_;
  source_handover handover_;
  state state_ = state::greeting;
  blocks blocks_ = blocks::none;
  save save_ = save::not_begun;
  turn turn_ = turn::not_needed;
  moment pass_begun_;
  std::chrono::milliseconds pause_{0};
  unsigned rounds_ = 0;
  std::uint64_t left_ = 0;
  downtime_log downtime_;
  time_point suspended_at_;
  time_point go_at_;
  action_queue<source_action> actions_;
  bool begun_ = false;
  bool attaching_ = false;
  bool disks_at_rest_ = false;
  /// The guest was looked at since it is suspended.
  bool looked_ = false;
  bool asked_beside_ = false;
};

/// "disks", as in PROTOCOL.md.
[[nodiscard]] std::string_view name_of(source_course::state state) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SOURCE_COURSE_HPP
