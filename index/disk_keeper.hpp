// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/disk_keeper.hpp: keeps one disk's part of the index fresh while a guest
// writes the disk.
//
// A standing tracker marks what is written; what has been quiet for a turn is
// read again. Whatever the tracker cannot vouch for (a new boot, a device made
// anew, programs that were detached, a write that was not counted, an index
// that was lost) leads to a new tracker and a scan of this disk.
//
// Use: turn() now and then, the time between being how long a written extent
// has to be quiet. When it asks for a scan: scan_disk() with ticket(), in
// whatever process. The record itself says under which tracker it was scanned:
// a scan that another tracker saw begin counts for nothing.
//
// Threads: one owner; one keeper of a disk among all processes.
// Blocks: on the disk and on the index; attaching also on writes in flight.

#ifndef INDEX_DISK_KEEPER_HPP
#define INDEX_DISK_KEEPER_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "index/refresh.hpp"
#include "index/scanner.hpp"
#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/standing_tracker.hpp"

namespace teleport::index {

/// A disk and the device by which a guest writes it; both may be the same.
struct kept_disk {
  std::string path;    ///< as it is indexed
  std::string device;  ///< a block device
  /// The only domain that has it; 0: none, or several.
  std::uint32_t guest = 0;
};

struct keeper_options {
  std::string trackers = standing_folder;
  /// How long a device may be looked at for a moment at rest, each turn.
  std::chrono::milliseconds rest_limit{500};
  /// Read again in one turn at most.
  std::uint64_t max_extents = 1024;
  refresh_options refresh;
};

class disk_keeper {
 public:
  disk_keeper(store& tables, kept_disk disk, keeper_options options)
      : tables_(tables), disk_(std::move(disk)), options_(std::move(options)) {}

  enum class outcome {
    fresh,   ///< nothing, or only what is being written, is behind
    behind,  ///< more is quiet than one turn reads
    scan,    ///< the disk has to be scanned: scan_disk() with ticket()
  };

  /// @error errc::timeout when the device was not at rest for a moment, so that
  ///        it cannot be tracked yet; errc::not_found when the disk is not
  ///        indexed, errc::busy when it is being scanned; errc::unsupported
  [[nodiscard]] result<outcome> turn();

  /// What turn() would ask for now.
  [[nodiscard]] bool needs_scan();

  /// For the scan that turn() asks for. @pre turn() has asked for it
  [[nodiscard]] scan_ticket ticket() const;

  [[nodiscard]] const kept_disk& disk() const noexcept { return disk_; }

 private:
  result<void> follow();
  [[nodiscard]] result<disk_record> record();
  /// That the tracker is for this index, and this guest.
  [[nodiscard]] result<void> check_purpose(const unique_id& index) const;
  result<outcome> read_quiet(const disk_record& record);
  /// Gives the tracker up; the next turn begins anew.
  void lose_track(const error& why);

  store& tables_;
  kept_disk disk_;
  keeper_options options_;
  std::unique_ptr<standing_tracker> tracker_;
};

}  // namespace teleport::index

#endif  // INDEX_DISK_KEEPER_HPP
