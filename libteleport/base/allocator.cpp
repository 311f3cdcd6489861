// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/allocator.hpp"

#include <malloc.h>

#include "libteleport/base/units.hpp"

namespace teleport {

void keep_freed_memory() noexcept {
  // Records have 2 MiB at most; above it are only tables that are made once.
  // NOLINTBEGIN(concurrency-mt-unsafe): called before threads start
  (void)::mallopt(M_MMAP_THRESHOLD, static_cast<int>(8_MiB));
  (void)::mallopt(M_TRIM_THRESHOLD, static_cast<int>(64_MiB));
  // NOLINTEND(concurrency-mt-unsafe)
}

}  // namespace teleport
