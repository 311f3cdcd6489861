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

/// Ends of the downtime's steps. Disks and memory go side by side, so
/// memory_sent may come before or after those of the disks.
enum class downtime_step : std::uint8_t {
  suspended,      ///< libxl has suspended the guest: the downtime begins
  marks_taken,    ///< the last writes are on the disk, and all are known
  blocks_sent,    ///< their blocks were given to the link
  blocks_proven,  ///< the destination has proven them; DISKS_COMPLETE is sent
  disks_durable,  ///< DISKS_DURABLE has come: the targets are flushed
  memory_sent,    ///< the end of libxl's stream was given to the link
  guest_built,    ///< GUEST_RECEIVED has come
  go_sent,        ///< GO is in the journal and was given to the link
  running,        ///< GO_RESULT has come: the downtime is over
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
