// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/schedule.hpp: decides when each guest moves: a number of
// teleports at once, a second try at the end for those that failed, and no
// start after the window has closed.
//
// A state machine: calls in, answers out. The owner starts what due() names,
// says what came of it with on_end(), and asks again; next_due() says when to
// ask if nothing happens before.
//
// Threads: one owner. The time is a value that is passed in.

#ifndef TOOLS_EVACUATE_SCHEDULE_HPP
#define TOOLS_EVACUATE_SCHEDULE_HPP

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace teleport::evacuation {

/// What one try came to.
enum class outcome {
  moved,
  not_cleared,  ///< moved, but something was left behind
  failed,       ///< it runs where it was; worth a second try
  uncertain,    ///< a person must look; never tried again
  gone,         ///< it has shut down meanwhile: nothing to move
};

/// Where a move stands.
enum class fate {
  waiting,
  running,
  moved,
  not_cleared,
  failed,  ///< tried as often as may be, and stays
  uncertain,
  gone,
  not_started,  ///< its turn had not come when the time was over
};

/// "moved", "not_cleared", ...
[[nodiscard]] std::string_view name_of(fate fate) noexcept;

/// Tries of one guest in one evacuation.
inline constexpr unsigned max_tries = 2;

class schedule {
 public:
  using clock = std::chrono::steady_clock;

  /// @param moves        how many there are; named by their number, begun in
  ///                     this order
  /// @param parallel     at most so many at once; at least 1
  /// @param retry_pause  from a failure to its second try at the earliest
  schedule(std::size_t moves,
           std::size_t parallel,
           std::chrono::seconds retry_pause);

  /// The moves to begin now; they count as running from here on.
  [[nodiscard]] std::vector<std::size_t> due(clock::time_point now);

  /// The time of the next due() without the end of a move; nullopt when only an
  /// end can make a move due, or nothing is left.
  [[nodiscard]] std::optional<clock::time_point> next_due() const;

  /// @pre `move` is running
  void on_end(std::size_t move, outcome what, clock::time_point now);

  /// The window has closed: no move begins any more, those that run continue.
  void close();
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }

  [[nodiscard]] std::vector<std::size_t> running() const;
  /// Moves that are over, whatever came of them.
  [[nodiscard]] std::size_t ended() const;
  /// Nothing runs and nothing will.
  [[nodiscard]] bool is_over() const;

  [[nodiscard]] fate of(std::size_t move) const { return moves_.at(move).at; }
  [[nodiscard]] unsigned tries(std::size_t move) const {
    return moves_.at(move).tries;
  }

 private:
  struct one_move {
    fate at = fate::waiting;
    unsigned tries = 0;
    clock::time_point earliest;
  };

  std::vector<one_move> moves_;
  std::deque<std::size_t> queue_;
  std::size_t parallel_;
  std::chrono::seconds retry_pause_;
  std::size_t running_ = 0;
  bool closed_ = false;
};

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_SCHEDULE_HPP
