// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/seed_report.hpp: what a seed was and cost.
//
// Threads: plain values and pure functions.

#ifndef XL_TELEPORT_SOURCE_SEED_REPORT_HPP
#define XL_TELEPORT_SOURCE_SEED_REPORT_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/session/setup_records.hpp"

namespace teleport {

/// Bytes unless said otherwise.
struct seed_report {
  std::string guest;
  std::string destination;
  std::string sentence;  ///< why it failed; empty when it did not
  std::vector<offered_target> disks;
  std::uint64_t disk_bytes = 0;
  rebuild_counts bulk;
  rebuild_counts rounds;
  bool followed = false;  ///< what was written meanwhile was sent as well
  source_counts source;
  link_counters link;              ///< of all attempts
  std::string congestion_control;  ///< of TCP
  unsigned connections = 0;        ///< of TCP, side by side at the end
  unsigned link_losses = 0;
  double seconds = 0;
};

[[nodiscard]] nlohmann::json to_json(const seed_report& report);
/// Several lines, for a terminal.
[[nodiscard]] std::string to_text(const seed_report& report);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SEED_REPORT_HPP
