// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/kept_world.hpp: a disk of a guest, the index that follows it,
// and where its trackers are pinned; and the oracle: what is told of the disk
// is what the disk holds.

#ifndef TELEPORT_TEST_SUPPORT_KEPT_WORLD_HPP
#define TELEPORT_TEST_SUPPORT_KEPT_WORLD_HPP

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "index/disk_keeper.hpp"
#include "index/extent_source.hpp"
#include "index/own_disk.hpp"
#include "index/scanner.hpp"
#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "test/support/bpf_folder.hpp"
#include "test/support/catch.hpp"
#include "test/support/root_devices.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

/// The domain that has the disk, unless a test says otherwise.
inline constexpr std::uint32_t kept_guest = 7;

inline void write_extent(const std::string& device,
                         std::uint64_t extent,
                         std::uint64_t content) {
  auto disk = open_device(device, open_mode::read_write);
  REQUIRE(disk);
  const byte_buffer block = block_of_content(content);
  aligned_buffer aligned(block.size());
  std::ranges::copy(block, aligned.span().begin());
  REQUIRE((*disk)->write_at(extent * extent_bytes, aligned.span()));
  REQUIRE((*disk)->flush());
}

/// A disk, its index, and where its tracker is pinned.
class kept_world {
 public:
  explicit kept_world(const std::string& mebibytes) : disk_(mebibytes) {}

  [[nodiscard]] const std::string& device() const { return disk_.path(); }
  [[nodiscard]] const std::string& file() const { return disk_.file(); }
  [[nodiscard]] const bpf_folder& trackers() const { return trackers_; }
  [[nodiscard]] std::string folder() const { return folder_ / "index"; }

  [[nodiscard]] disk_keeper keeper(store& tables,
                                   std::uint32_t guest = kept_guest) const {
    keeper_options options;
    options.trackers = trackers_.path();
    return {tables, {device(), device(), guest}, options};
  }

  /// What the index's owner does: turns, and scans when asked.
  disk_keeper::outcome turn(store& tables, disk_keeper& keeper) const {
    const auto now = keeper.turn();
    REQUIRE(now);
    if (*now == disk_keeper::outcome::scan) {
      scan_options how;
      how.ticket = keeper.ticket();
      scan(tables, device(), how);
    }
    return *now;
  }
  void catch_up(store& tables, std::uint32_t guest = kept_guest) const {
    auto keeper = this->keeper(tables, guest);
    // Behind for one turn at least: what was written must be quiet.
    for (int i = 0; i < 50; ++i) {
      if (turn(tables, keeper) == disk_keeper::outcome::fresh &&
          behind() == 0) {
        return;
      }
    }
    FAIL("the keeper never catches up");
  }
  /// The index, with the disk in it, scanned and followed.
  [[nodiscard]] std::shared_ptr<store> open_followed() const {
    auto tables = open_store(folder());
    REQUIRE(add_disk(*tables, device()));
    catch_up(*tables);
    return tables;
  }
  [[nodiscard]] std::uint64_t behind() const {
    const auto tracker = standing_tracker::adopt(trackers_.path(), device());
    REQUIRE(tracker);
    return (*tracker)->behind().extents();
  }
  [[nodiscard]] std::unique_ptr<own_disk> own(
      const std::shared_ptr<store>& tables,
      std::uint32_t guest = kept_guest) const {
    return own_disk::open(tables, trackers_.path(), device(), guest);
  }

 private:
  loop_disk disk_;
  bpf_folder trackers_;
  temp_folder folder_;
};

/// Compares all that is known with what is there.
///
/// @return extents that are not known
inline std::uint64_t check_known(own_disk& own, const std::string& device) {
  auto disk = open_device(device, open_mode::read_only);
  REQUIRE(disk);
  aligned_buffer bytes(extent_bytes);
  std::uint64_t unknown = 0;
  for (std::uint64_t e = 0; e < extents_of((*disk)->size()); ++e) {
    const auto known = own.find(e);
    if (!known) {
      ++unknown;
      continue;
    }
    const auto piece = bytes.span().first(extent_length((*disk)->size(), e));
    REQUIRE((*disk)->read_at(e * extent_bytes, piece));
    extent_content there;
    hash_extent(piece, there);
    INFO("extent " << e);
    REQUIRE(known->zero == (there.count == 0));
    if (!known->zero) {
      REQUIRE(std::ranges::equal(known->digest, there.sha));
      REQUIRE(known->blocks.size() == there.count);
      REQUIRE(std::equal(
          known->blocks.begin(), known->blocks.end(), there.digests.begin()));
    }
  }
  return unknown;
}

}  // namespace teleport::index

#endif  // TELEPORT_TEST_SUPPORT_KEPT_WORLD_HPP
