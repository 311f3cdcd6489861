// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/loop_device.hpp: loop devices by ioctl: attach, find,
// detach.
//
// Threads: any; races with other users of loop devices are handled.
// Blocks:  on the disk (detaching writes out what is cached).

#ifndef LIBTELEPORT_DISK_LOOP_DEVICE_HPP
#define LIBTELEPORT_DISK_LOOP_DEVICE_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Attaches a file, with direct I/O where its filesystem can, and without
/// detaching itself at the last close.
///
/// @param preferred  "/dev/loopN" to use if it is free; empty for any
/// @return the device's path
[[nodiscard]] result<std::string> attach_loop(const std::string& file,
                                              const std::string& preferred);

/// The loop device over the whole of this file, writable, if there is one.
[[nodiscard]] result<std::optional<std::string>> find_loop(
    const std::string& file);

/// What lies under a loop device.
struct loop_window {
  std::string file;  ///< its path, as it is now
  std::uint64_t offset = 0;
  std::uint64_t limit = 0;  ///< bytes from the offset; 0 for all that follow
  bool read_only = false;
};

/// @return none when the device is no attached loop device
/// @error errc::not_found when the file was deleted or has moved
[[nodiscard]] result<std::optional<loop_window>> window_of_loop(
    const std::string& device);

/// The file that lies under a loop device as a whole; none when the device is
/// no attached loop device, is read-only, or is a window on a file.
[[nodiscard]] result<std::optional<std::string>> file_of_loop(
    const std::string& device);

/// Detaches. Waits a moment for udev and the like to let go.
///
/// @error errc::busy when another has the device open; it stays as it is
[[nodiscard]] result<void> detach_loop(const std::string& device);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_LOOP_DEVICE_HPP
