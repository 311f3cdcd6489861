// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_kind.hpp"

#include <algorithm>
#include <cassert>

namespace teleport {

const disk_kind_entry& entry_of(disk_kind kind) {
  const auto* const entry =
      std::ranges::find(disk_kinds, kind, &disk_kind_entry::kind);
  assert(entry != disk_kinds.end());
  return **entry;
}

std::optional<disk_kind> disk_kind_of(int number) {
  const auto* const entry =
      std::ranges::find(disk_kinds, number, [](const disk_kind_entry* one) {
        return static_cast<int>(one->kind);
      });
  return entry == disk_kinds.end() ? std::nullopt
                                   : std::optional((*entry)->kind);
}

}  // namespace teleport
