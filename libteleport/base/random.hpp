// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/random.hpp: bytes that nobody can guess, from the kernel.
//
// Threads: any. Blocks: only in the first seconds after a boot.

#ifndef LIBTELEPORT_BASE_RANDOM_HPP
#define LIBTELEPORT_BASE_RANDOM_HPP

#include <cstddef>
#include <span>

#include "libteleport/base/error.hpp"

namespace teleport {

/// @pre out.size() <= 256: longer requests may be cut short by a signal
/// @error errc::system
[[nodiscard]] result<void> fill_with_random(std::span<std::byte> out);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_RANDOM_HPP
