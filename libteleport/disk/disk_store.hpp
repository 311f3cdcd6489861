// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_store.hpp: where arriving disks are made. A kind of
// store is an entry of disk_kind.hpp.
//
// A store touches what lies directly in it and nothing else, creates only
// under names that do not exist, and removes only what it owns.
//
// Threads: one owner. Blocks: on the disk, and on LVM's commands.
// Trust:   names may come from a peer and are checked as hostile.

#ifndef LIBTELEPORT_DISK_DISK_STORE_HPP
#define LIBTELEPORT_DISK_DISK_STORE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_kind.hpp"

namespace teleport {

struct store_config {
  disk_kind kind = disk_kind::file;  ///< of the disks that are made
  /// What holds them, as the kind says: check_store().
  std::string path;
  /// The thin pool's name, for thin volumes alone.
  std::string thin_pool;
  /// Volumes are made in the thin pool.
  bool thin = false;
};

/// A disk in a store, ready to be written.
struct placed_disk {
  /// The file or the logical volume's path: a name that outlives a reboot.
  std::string backing;
  /// The block device to hand to blkback: /dev/loopN or /dev/VG/LV.
  std::string device;
  std::uint64_t size = 0;
  /// Freshly made, and what was never written reads as zeros.
  bool reads_zero = false;
};

/// Longest name of a disk, so that suffixes still fit LVM's limit of 127.
inline constexpr std::size_t max_disk_name = 100;

/// Accepts [A-Za-z0-9._+-], at most max_disk_name, no leading dot or
/// hyphen, and not the ending that marks shadows (disk_home.hpp).
///
/// @error errc::bad_input
[[nodiscard]] result<void> check_disk_name(std::string_view name);

/// @error errc::bad_input when it is no multiple of 512, or above
///        max_disk_bytes
[[nodiscard]] result<void> check_disk_size(std::uint64_t size);

/// Whether a regular file of this size counts as a disk's image where a folder
/// of them is listed: whole sectors, and not smaller than 1 MiB.
[[nodiscard]] bool has_image_size(std::uint64_t size);

/// Where disks arrive. Every path passed in must be one that owns() accepts.
class disk_store {
 public:
  disk_store() = default;
  disk_store(const disk_store&) = delete;
  disk_store& operator=(const disk_store&) = delete;
  disk_store(disk_store&&) = delete;
  disk_store& operator=(disk_store&&) = delete;
  virtual ~disk_store() = default;

  /// What could still be written into new disks.
  [[nodiscard]] virtual result<disk_space> space() = 0;

  /// Whether create() would refuse this size for what it is.
  ///
  /// @error errc::bad_input
  [[nodiscard]] virtual result<void> check_size(std::uint64_t size) const = 0;

  /// Makes a disk under a new name.
  ///
  /// @param size  bytes, a multiple of 512; for LVM also of the group's extent
  /// @error errc::bad_input for the name or size; errc::busy when the name is
  ///        taken; errc::no_space
  [[nodiscard]] virtual result<placed_disk> create(const std::string& name,
                                                   std::uint64_t size) = 0;

  /// Makes an existing disk usable again: finds or attaches its loop device,
  /// or activates its volume. reads_zero is false.
  ///
  /// @error errc::not_found; errc::refused when it is not in this store
  [[nodiscard]] virtual result<placed_disk> open(
      const std::string& backing) = 0;

  /// Gives up the block device: detaches the loop device. Volumes stay active.
  ///
  /// @error errc::busy when another (blkback) still has it open
  [[nodiscard]] virtual result<void> close(const placed_disk& disk) = 0;

  /// Closes the disk and deletes its contents for good.
  [[nodiscard]] virtual result<void> remove(const placed_disk& disk) = 0;

  /// The rest of a disk's life: set aside, grown, brought back.
  ///
  /// @error errc::refused when it is not in this store
  [[nodiscard]] virtual result<std::unique_ptr<disk_home>> home(
      const std::string& backing) = 0;

  /// True when `backing` names something directly in this store.
  [[nodiscard]] virtual bool owns(const std::string& backing) const = 0;
};

/// Opens a store after checking that it is there.
///
/// @error errc::bad_input, errc::not_found; errc::unsupported where there is no
///        LVM, and for a kind that no disk is made of
[[nodiscard]] result<std::unique_ptr<disk_store>> open_store(
    const store_config& config);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_STORE_HPP
