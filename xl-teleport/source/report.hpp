// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/report.hpp: what a teleport was and cost, for people and
// as one JSON object; and its progress while it runs.
//
// Threads: plain values and pure functions.

#ifndef XL_TELEPORT_SOURCE_REPORT_HPP
#define XL_TELEPORT_SOURCE_REPORT_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "libteleport/migrate/convergence.hpp"
#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/session/downtime.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/stream/stream_filter.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// What the source does, in order.
enum class move_phase { connect, prepare, bulk, rounds, memory, stopped, over };

[[nodiscard]] std::string_view name_of(move_phase phase) noexcept;

/// The whole of it. Bytes unless said otherwise.
struct move_report {
  std::string id;
  std::string guest;
  std::string destination;
  /// "moved", "failed", "refused" or "uncertain".
  std::string outcome;
  std::string sentence;  ///< why, when it is not "moved"
  std::string uuid;      ///< the guest's
  /// Of "failed": what the guest is here now; others may have paused, saved or
  /// destroyed it.
  std::optional<guest_state> here;
  /// What stands in the way, one by one; empty when it has moved.
  std::vector<problem> problems;
  /// The destination's answer to the preflight.
  std::optional<host_room> room;
  std::vector<offered_target> disks;
  std::uint64_t disk_bytes = 0;
  rebuild_counts bulk;
  rebuild_counts rounds;
  unsigned round_count = 0;
  source_counts source;
  stream_statistics memory;
  link_counters link;  ///< of all attempts
  unsigned link_losses = 0;
  std::string congestion_control;  ///< of TCP
  unsigned connections = 0;        ///< of TCP, side by side at the end
  /// Seconds of each phase, by move_phase; `over` is not counted.
  std::vector<double> phase_seconds;
  double total_seconds = 0;
  /// From libxl's "Domain now suspended" to the destination's word that the
  /// guest runs, in steps.
  downtime_log downtime;
  std::vector<std::string> kept_here;  ///< shadows left at the source
};

[[nodiscard]] nlohmann::json to_json(const move_report& report);
/// Several lines, for a terminal.
[[nodiscard]] std::string to_text(const move_report& report);
[[nodiscard]] nlohmann::json to_json(const rebuild_counts& counts);
[[nodiscard]] nlohmann::json disks_json(
    const std::vector<offered_target>& disks);

/// How far one disk is, in bytes.
struct disk_progress {
  std::string vdev;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// One moment of it.
struct progress {
  move_phase phase = move_phase::connect;
  std::uint64_t done = 0;       ///< of the phase
  std::uint64_t total = 0;      ///< 0: unknown
  std::uint64_t sent = 0;       ///< on the link, of the whole teleport
  double rate = 0;              ///< on the link, bytes/s, of late
  std::optional<double> found;  ///< share of what is done that was found there
  std::optional<double> eta_seconds;  ///< of the phase
  bool revocable = true;              ///< the guest was not given away
  /// The memory waits until another guest's has arrived there.
  bool waits_for_turn = false;
  /// Where there are several, each disk's part of `done` and `total`.
  std::vector<disk_progress> disks;
};

[[nodiscard]] nlohmann::json to_json(const progress& now);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_REPORT_HPP
