// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/downtime.hpp: the time in which the guest runs nowhere,
// as the steps that it is made of, seen from the source.
//
// Threads: plain values. Time is given, nothing is measured here.

#ifndef LIBTELEPORT_SESSION_DOWNTIME_HPP
#define LIBTELEPORT_SESSION_DOWNTIME_HPP

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace teleport {

/// Ends of the downtime's steps, and where their time goes. Disks and memory go
/// side by side, so memory_sent may come before or after those of the disks.
enum class downtime_step : std::uint8_t {
  /// libxl has suspended the guest: the downtime begins.
  suspended,
  /// The last writes are on the disk, and all are known: source/marks.cpp.
  marks_taken,
  /// Their blocks were given to the link, ahead of memory:
  /// source/disk_mover.cpp and net/record_queue.hpp.
  blocks_sent,
  /// The destination has proven and written them: migrate/rebuild.cpp.
  /// DISKS_COMPLETE is sent.
  blocks_proven,
  /// DISKS_DURABLE has come, the targets are flushed:
  /// destination/placement.cpp, and session/flush_plan.hpp, by which most of
  /// it was flushed before.
  disks_durable,
  /// The end of libxl's stream was given to the link: source/memory_mover.cpp.
  memory_sent,
  /// The guest is still the one that was offered: source/guest_here.cpp.
  looked,
  /// GUEST_RECEIVED has come. xl has built the guest, the hook at_gate agreed,
  /// `ready` is in the journal: destination/guest_arrival.cpp.
  guest_built,
  /// libxl's save is over here, and its thread: xen/saver.cpp.
  saved,
  /// `go` is in the journal, by an fsync, and GO was given to the link:
  /// source/source_end.cpp.
  go_sent,
  /// GO_RESULT has come: `go` is in the journal there, and xl has unpaused the
  /// guest (destination/guest_arrival.cpp). The downtime is over.
  running,
};

/// Its name in reports: "marks_taken".
[[nodiscard]] std::string_view name_of(downtime_step step) noexcept;

/// A step, and when it was over.
struct downtime_entry {
  downtime_step step{};
  /// Seconds since the guest was suspended.
  std::chrono::duration<double> at{};

  // clang-tidy reads the 0 that the made function compares with as a pointer.
  // NOLINTBEGIN(modernize-use-nullptr)
  friend auto operator<=>(const downtime_entry&,
                          const downtime_entry&) = default;
  // NOLINTEND(modernize-use-nullptr)
};

class downtime_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The step is over. Of a step that is noted twice the first time counts.
  ///
  /// @param now  not before that of the call before
  void note(downtime_step step, time_point now);

  /// What was noted, in order of time.
  [[nodiscard]] const std::vector<downtime_entry>& steps() const noexcept {
    return steps_;
  }
  [[nodiscard]] bool has(downtime_step step) const noexcept;
  /// Seconds from `suspended` to `running`; nullopt before both are noted.
  [[nodiscard]] std::optional<std::chrono::duration<double>> total()
      const noexcept;

  friend auto operator<=>(const downtime_log&, const downtime_log&) = default;

 private:
  time_point began_;
  std::vector<downtime_entry> steps_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_DOWNTIME_HPP
