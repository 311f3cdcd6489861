// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/scan_job.hpp: a scan of a disk as 'teleportctl jobs' tells
// of it.
//
// Threads: one owner. Blocks: on files, for a moment once a second.

#ifndef XL_TELEPORT_SETUP_SCAN_JOB_HPP
#define XL_TELEPORT_SETUP_SCAN_JOB_HPP

#include <cstdint>
#include <string>

#include "xl-teleport/setup/running_job.hpp"

namespace teleport {

/// How far a scan is.
struct scan_moment {
  std::uint64_t done = 0;   ///< bytes, holes included
  std::uint64_t total = 0;  ///< the disk's
  double seconds = 0;       ///< since it began, less its pauses
  bool paused = false;
  std::string left;  ///< "12 min"; empty: not known
};

/// As told, for people.
[[nodiscard]] std::string words_of(const scan_moment& now);

class scan_job {
 public:
  /// Begins it.
  /// @param by_teleportd  nobody asked for it
  scan_job(const settings& config, const std::string& path, bool by_teleportd);

  void note(const scan_moment& now);
  /// @param done  what became of it
  /// @param read  bytes
  void end(const result<void>& done, std::uint64_t read, double seconds);

 private:
  running_job told_;
  double noted_at_ = -1;  ///< seconds of the scan
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_SCAN_JOB_HPP
