// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/seed_course.hpp: the course of a seed at its source, as a
// value: what has happened goes in by on_...(), what is to be done comes out of
// next(). PROTOCOL.md, section 7.
//
// A seed whose disks nobody writes reads them, and asks for their targets,
// while the hosts greet each other. Else trackers are attached once the seed is
// welcome, and what was written during the bulk is sent after it, once.
//
// Threads: one owner; plain calls.
// Trust:   records are a peer's: those that may not come now are refused.

#ifndef LIBTELEPORT_SESSION_SEED_COURSE_HPP
#define LIBTELEPORT_SESSION_SEED_COURSE_HPP

#include <cstdint>
#include <optional>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/session/action_queue.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// What the driver of a seed's source is to do next, beside sending records
/// that have no body: PREPARE, DISKS_COMPLETE.
enum class seed_action : std::uint8_t {
  attach_trackers,  ///< open the disks with trackers; then on_attached()
  attach_plain,     ///< open them without; then on_attached()
  start_bulk,  ///< read and hash; nothing is announced before targets_ready
  targets_ready,
  weigh,        ///< take the marks; then on_weighed()
  start_round,  ///< send what was weighed; then on_pass_done()
  stop_disks,   ///< then on_disks_at_rest()
  send_fail,    ///< say why it failed
  end,          ///< all rests
};

using seed_step = course_step<seed_action>;

class seed_course {
 public:
  enum class state : std::uint8_t {
    greeting,   ///< HELLO and SEED are sent; HELLO is awaited
    offered,    ///< ANSWER is awaited
    answered,   ///< it is welcome; the disks are attached here
    preparing,  ///< PREPARED is awaited
    prepared,   ///< it has come; the disks are still being attached here
    disks,      ///< bulk and a round
    keeping,    ///< DISKS_COMPLETE is sent; SEEDED is awaited
    over,       ///< SEEDED has come, or it failed
  };
  /// What the disks do in the state `disks`.
  enum class blocks : std::uint8_t { none, bulk, weighing, round };

  /// The next thing to do; nullopt when only events can bring more.
  [[nodiscard]] std::optional<seed_step> next() { return actions_.next(); }

  /// HELLO and SEED are sent.
  /// @param nobody_writes  every disk is read-only
  void on_connected(bool nobody_writes);

  /// Whether a record may come now.
  /// @error errc::protocol, naming the record and the state
  [[nodiscard]] result<void> may_come(record_type type) const;
  /// A record has come whose body is right. An ANSWER with problems is a
  /// failure instead.
  /// @error as may_come()
  [[nodiscard]] result<void> on_record(record_type type);

  /// @return false: it failed, and on_failure() is to follow. A seed does
  ///         without trackers where they cannot be attached.
  [[nodiscard]] bool on_attached(bool well);
  /// All of the pass is proven at the destination.
  void on_pass_done();
  /// @param dirty  bytes written since the trackers were attached
  void on_weighed(std::uint64_t dirty);
  /// No job uses the disks, and none will.
  void on_disks_at_rest();
  /// The link is lost, it was cancelled, or anything failed.
  /// @return false: it is over already; the failure is no news
  [[nodiscard]] bool on_failure();

  [[nodiscard]] state at() const noexcept { return state_; }
  [[nodiscard]] blocks at_blocks() const noexcept { return blocks_; }
  /// What is written meanwhile is followed by trackers.
  [[nodiscard]] bool follows() const noexcept { return follows_; }

 private:
  enum class attached : std::uint8_t { no, under_way, yes };
  enum class rest : std::uint8_t { none, of_disks, ended };

  [[nodiscard]] bool is_due(record_type type) const noexcept;
  void add(seed_step todo) { actions_.add(todo); }
  void attach(bool follow);
  void begin_bulk();
  void complete();
  void end_when_at_rest();

  state state_ = state::greeting;
  blocks blocks_ = blocks::none;
  attached attached_ = attached::no;
  bool follows_ = false;
  rest rest_ = rest::none;
  action_queue<seed_action> actions_;
};

/// "disks", as in PROTOCOL.md.
[[nodiscard]] std::string_view name_of(seed_course::state state) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SEED_COURSE_HPP
