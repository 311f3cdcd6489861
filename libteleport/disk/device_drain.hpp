// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/device_drain.hpp: a moment in which a device-mapper device
// has no write in flight, made by suspending it.
//
// LVM, an administrator and another of our processes suspend devices, too, and
// load tables for the next resume: a device that is theirs now is left alone,
// and they are kept out for the moment that it is ours.
//
// Threads: any. Blocks: for as long as the slowest write takes, up to a limit.

#ifndef LIBTELEPORT_DISK_DEVICE_DRAIN_HPP
#define LIBTELEPORT_DISK_DEVICE_DRAIN_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Suspends a device-mapper device without freezing a filesystem on it, which
/// waits for all its I/O, and resumes it at once. New I/O waits meanwhile. A
/// process of its own does both: it resumes the device also when this one is
/// killed in between.
///
/// @param device  its device number
/// @param limit   for the writes in flight to end
/// @param quiet   called while nothing is in flight; must be quick and must
///                not touch the device
/// @error errc::busy when somebody else has it suspended, has loaded a table or
///        changes its volume group now; errc::timeout when a write takes longer
///        than the limit: the device is not suspended then
[[nodiscard]] result<void> drain_writes(std::uint64_t device,
                                        std::chrono::milliseconds limit,
                                        const std::function<void()>& quiet);

/// The volume group in a device's name, of which LVM doubles each hyphen:
/// "my--vg-web" is my-vg's volume web.
///
/// @return none when the name is not of LVM's form
[[nodiscard]] std::optional<std::string> volume_group_of(
    std::string_view mapper_name);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DEVICE_DRAIN_HPP
