// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/logical_volume.hpp: LVM's commands, as far as stores and
// homes of disks need them.
//
// Threads: any; LVM locks for itself. Blocks: on LVM's commands.
// Trust:   names are checked before they become arguments; what LVM prints is
//          taken as its own.

#ifndef LIBTELEPORT_DISK_LOGICAL_VOLUME_HPP
#define LIBTELEPORT_DISK_LOGICAL_VOLUME_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// A logical volume by its two names.
struct volume_name {
  std::string group;
  std::string volume;

  /// "/dev/GROUP/VOLUME"
  [[nodiscard]] std::string path() const {
    return "/dev/" + group + "/" + volume;
  }
  /// "GROUP/VOLUME", as LVM's commands want it.
  [[nodiscard]] std::string argument() const { return group + "/" + volume; }
};

/// The names in "/dev/GROUP/VOLUME", whether it exists or not.
[[nodiscard]] std::optional<volume_name> parse_volume_path(
    std::string_view path);

/// The names in a device-mapper name: "group-my--volume".
[[nodiscard]] std::optional<volume_name> parse_mapper_name(
    std::string_view name);

/// The volume that a block device is; none when it is something else, or one
/// of LVM's own hidden parts.
[[nodiscard]] result<std::optional<volume_name>> volume_of_device(
    const std::string& device);

/// A path of an active volume that its renaming leaves as it is: udev's link by
/// the volume's uuid, which no other device ever gets. Where udev made none, it
/// is the kernel's node, which is dealt anew once the volume was inactive.
[[nodiscard]] std::string renamable_path(const std::string& device);

/// Runs one of LVM's commands and returns what it prints.
///
/// @error errc::unsupported when LVM is not installed; errc::timeout; else as
///        lvm_failure() has it, with LVM's own words
[[nodiscard]] result<std::string> run_lvm(
    const std::vector<std::string>& arguments);

/// The kind of failure that LVM's words tell: not_found, busy (the name is
/// taken, or the volume open), no_space, or system for all others.
[[nodiscard]] errc lvm_failure(std::string_view message);

/// The columns that `lvs` or `vgs` gives for one name; sizes are in bytes.
///
/// @param command  "lvs" or "vgs"
/// @param columns  such as "lv_size,pool_lv"
/// @param name     a group or "GROUP/VOLUME"
/// @error errc::not_found when LVM does not know it
[[nodiscard]] result<std::vector<std::string>> ask_lvm(
    const std::string& command,
    const std::string& columns,
    const std::string& name);

/// Refuses a thin pool that does not zero the chunks that it gives out: a chunk
/// that is written in part would show old contents where the disk was proven to
/// hold zeros, in this extent or in the next.
///
/// @param pool  VG/POOL
/// @error errc::unsupported, with what to do
[[nodiscard]] result<void> check_pool_zeroes(const std::string& pool);

/// A number of bytes as ask_lvm() gives it.
[[nodiscard]] result<std::uint64_t> bytes_from_lvm(const std::string& column);

[[nodiscard]] result<bool> volume_exists(const volume_name& name);

/// Makes the block device of a volume appear.
[[nodiscard]] result<void> activate_volume(const volume_name& name);

/// @pre  `to` does not exist
[[nodiscard]] result<void> rename_volume(const volume_name& from,
                                         const std::string& to);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_LOGICAL_VOLUME_HPP
