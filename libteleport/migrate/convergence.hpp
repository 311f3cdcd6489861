// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/convergence.hpp: when do the rounds end?
//
// After each round the dirty set is weighed against what the link has been
// seen to carry. Rounds go on while they make the set smaller; they end when it
// fits the downtime wanted; a guest that writes faster than the link carries is
// moved all the same when the rest fits the longest downtime allowed, and
// refused otherwise: before its memory has been touched.
//
// Threads: a plain value. Time and bytes are given, nothing is measured here.

#ifndef LIBTELEPORT_MIGRATE_CONVERGENCE_HPP
#define LIBTELEPORT_MIGRATE_CONVERGENCE_HPP

#include <chrono>
#include <compare>
#include <cstdint>

namespace teleport {

using seconds = std::chrono::duration<double>;

struct downtime_budget {
  seconds wanted{1.0};
  seconds longest{60.0};
  friend auto operator<=>(const downtime_budget&,
                          const downtime_budget&) = default;
};

enum class next_step {
  another_round,
  /// The disks are close enough: send the memory, rounds going on beside it.
  start_memory,
  /// No hope within the longest downtime allowed.
  give_up,
};

/// Keeps the history of one teleport's rounds.
class convergence {
 public:
  explicit convergence(downtime_budget budget) : budget_(budget) {}

  /// During a pass `link_bytes` have crossed the link in `took`, while more
  /// waited for it: what a disk held up is not in either.
  void on_pass(std::uint64_t link_bytes, seconds took);

  /// What to do with a dirty set of this many bytes.
  [[nodiscard]] next_step weigh(std::uint64_t dirty_bytes);

  /// Time that the link needs for `bytes` of dirty blocks, at worst.
  [[nodiscard]] seconds time_for(std::uint64_t bytes) const;

  /// Whether so many bytes are sent within the downtime that is wanted.
  [[nodiscard]] bool fits(std::uint64_t bytes) const {
    return time_for(bytes) <= budget_.wanted;
  }

  /// Bytes a second that the link is thought to carry.
  [[nodiscard]] double rate() const;

  [[nodiscard]] unsigned rounds() const noexcept { return rounds_; }

  friend auto operator<=>(const convergence&, const convergence&) = default;

 private:
  downtime_budget budget_;
  double bytes_per_second_ = 0.0;  ///< 0: not yet known
  std::uint64_t smallest_ = UINT64_MAX;
  unsigned rounds_ = 0;
  unsigned fruitless_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_CONVERGENCE_HPP
