// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/allocator.hpp: how malloc treats records of a MiB.

#ifndef LIBTELEPORT_BASE_ALLOCATOR_HPP
#define LIBTELEPORT_BASE_ALLOCATOR_HPP

namespace teleport {

/// Freed memory stays with the process, some 64 MiB at most for each thread:
/// glibc gives a MiB back to the system at once, and the 256 page faults of the
/// next one cost as much as its way through TLS. Call once, as a program that
/// moves blocks begins.
void keep_freed_memory() noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_ALLOCATOR_HPP
