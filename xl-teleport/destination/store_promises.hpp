// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/store_promises.hpp: what of a store's free space is
// others' already: a target has holes until its session has filled it, and free
// space alone would be promised to each of several sessions.
//
// Threads: any. Blocks: on small files, on LVM; lock_store() for at most 5 s.

#ifndef XL_TELEPORT_DESTINATION_STORE_PROMISES_HPP
#define XL_TELEPORT_DESTINATION_STORE_PROMISES_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// Bytes that the targets of other guests' sessions, which go on, do not hold
/// yet.
[[nodiscard]] result<std::uint64_t> promised_to_others(
    const guest_info& guest,
    const disk_book& book,
    disk_store& store,
    const std::string& run_path);

/// Held while a session looks whether there is room and makes its targets.
///
/// @error errc::busy
[[nodiscard]] result<unique_fd> lock_store(const std::string& run_path);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_STORE_PROMISES_HPP
