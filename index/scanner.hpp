// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/scanner.hpp: reads a disk from end to end and brings the index up to
// date with it.
//
// Several threads read (large, in order, past the page cache, at idle I/O
// priority) and hash; the caller's thread compares with what the index holds
// and writes the difference. A second scan of an unchanged disk writes next to
// nothing. An interrupted scan keeps what it has, and the next one repairs. One
// of a disk that is paused (pause_list.hpp), before or meanwhile, writes what
// it has and waits; it goes on from there.
//
// Threads: one scan of one disk; starts its own and joins them.
// Blocks: for as long as the disk takes to read.
// Trust: the path is the administrator's, the disk's content a guest's.

#ifndef INDEX_SCANNER_HPP
#define INDEX_SCANNER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_id.hpp"

namespace teleport::index {

struct scan_progress {
  std::uint64_t disk_bytes = 0;
  std::uint64_t done_bytes = 0;  ///< read, or skipped as holes
  std::uint64_t read_bytes = 0;
  double seconds = 0;   ///< since it began, without those that it was paused
  bool paused = false;  ///< it waits
};

/// The tracker that follows a disk from before its scan begins: who scans with
/// it reads through the device that is followed, and the record names it.
struct scan_ticket {
  std::string trackers;  ///< folder of the standing trackers
  std::string device;
  unique_id life;  ///< unset: nobody follows the disk

  [[nodiscard]] bool is_set() const noexcept { return life.is_set(); }
};

/// Who wants a disk in the index.
enum class added_by { hand, itself };

struct scan_options {
  scan_ticket ticket;
  /// Counts for a disk that is not in the index yet.
  added_by who = added_by::hand;
  /// Threads that read and hash; 0: the machine's CPUs, at most 8.
  unsigned threads = 0;
  /// Bytes read a second, over all threads; 0: no limit.
  std::uint64_t bytes_per_second = 0;
  bool idle_priority = true;
  /// Changes collected before they are written, in bytes of memory.
  std::size_t batch_bytes = std::size_t{48} << 20U;
  /// Called on the caller's thread, once for each 32 MiB, for each second of a
  /// scan that is slower, and when it begins to wait because its disk is
  /// paused.
  std::function<void(const scan_progress&)> progress;
  /// Looked at now and then; true ends the scan with errc::cancelled.
  const std::atomic<bool>* cancel = nullptr;
};

struct scan_report {
  disk_record disk;  ///< as it is in the index now
  std::uint64_t read_bytes = 0;
  std::uint64_t hole_bytes = 0;
  std::uint64_t changed_groups = 0;
  std::uint64_t unreadable_extents = 0;
  double seconds = 0;
};

/// Puts the disk into the index unless it is there; reads nothing. One that had
/// been added by itself counts as listed once it is added by hand.
///
/// @param path  absolute; symbolic links in it are kept as they are
/// @error errc::busy when the same disk is indexed under another path
[[nodiscard]] result<disk_record> add_disk(store& tables,
                                           const std::string& path,
                                           added_by who = added_by::hand);

/// Scans the disk, which is added if need be.
///
/// @error errc::not_found; errc::cancelled; errc::busy when it is being scanned
///        already; errc::no_space; errc::system when nothing could be read;
///        errc::mismatch when the ticket's tracker is not, or not any more, the
///        disk's: what was read is kept, and no tracker named
[[nodiscard]] result<scan_report> scan_disk(store& tables,
                                            const std::string& path,
                                            const scan_options& options);

}  // namespace teleport::index

#endif  // INDEX_SCANNER_HPP
