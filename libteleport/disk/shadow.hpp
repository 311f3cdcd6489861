// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/shadow.hpp: sets a departed guest's disk aside under a name
// that cannot be started by mistake, and brings it back.
//
// Order for a journal: plan_shadow(), write the plan down, set_aside(plan).
// Each of the two moves may be repeated after a crash at any point.
//
// Threads: any, one at a time for one disk. Blocks: on the disk and on LVM's
// commands.

#ifndef LIBTELEPORT_DISK_SHADOW_HPP
#define LIBTELEPORT_DISK_SHADOW_HPP

#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// What is appended to the name of a disk that was set aside.
inline constexpr std::string_view shadow_suffix = ".teleport-shadow";

enum class shadow_kind {
  /// A file, behind a loop device or named directly.
  loop_file = 1,
  /// An LVM logical volume.
  logical_volume = 2,
  /// Anything else stays where it is: aside equals device.
  other_device = 3,
};

struct shadow_place {
  shadow_kind kind = shadow_kind::other_device;
  /// What the guest's configuration named.
  std::string device;
  /// The original file or volume path.
  std::string backing;
  /// Where it lies while it is set aside.
  std::string aside;
};

/// What set_aside() would do with this disk; changes nothing.
///
/// @param device  a block device, or a regular file
/// @error errc::not_found; errc::busy when the name aside is taken
[[nodiscard]] result<shadow_place> plan_shadow(const std::string& device);

/// Carries out a plan: detaches the loop device and renames the file, or
/// renames the volume. Succeeds at once when that was done before.
///
/// @error errc::busy when the device is still open elsewhere, or the name
///        aside is taken: nothing was changed
[[nodiscard]] result<void> set_aside(const shadow_place& place);

/// plan_shadow() and set_aside() in one.
[[nodiscard]] result<shadow_place> set_aside(const std::string& device);

/// Renames back, and makes the disk usable.
///
/// @return the block device: the same /dev/loopN as before where that is free,
///         else another; /dev/VG/LV
/// @error errc::busy when the old name is taken, or the shadow is in use
[[nodiscard]] result<std::string> bring_back(const shadow_place& place);

/// A block device that gives access to the disk while it is still aside, so
/// that a teleport can fill it before it is brought back.
[[nodiscard]] result<std::string> open_aside(const shadow_place& place);

/// Ends open_aside(): detaches its loop device.
[[nodiscard]] result<void> close_aside(const shadow_place& place);

/// The names of a disk before and after it becomes a shadow: those that the disk
/// at `path` may have got.
[[nodiscard]] std::vector<std::string> other_names(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_SHADOW_HPP
