// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/destruction.hpp: destroys a domain to the end, also one of
// which a process has destroyed a half before it was killed.
//
// Threads: any. Blocks: on Xen, seconds.

#ifndef LIBTELEPORT_XEN_DESTRUCTION_HPP
#define LIBTELEPORT_XEN_DESTRUCTION_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// Destroys it, and waits until Xen has forgotten it: before, a backend may
/// have its disks open. May be repeated.
///
/// @error errc::busy when Xen has it still after 20 s
[[nodiscard]] result<void> destroy_to_the_end(toolstack& xen,
                                              std::uint32_t domid);

/// The same of every domain of this uuid that is being destroyed; no other is
/// touched. Harmless also where whoever destroys it is alive.
[[nodiscard]] result<void> finish_destructions(toolstack& xen,
                                               const std::string& uuid);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_DESTRUCTION_HPP
