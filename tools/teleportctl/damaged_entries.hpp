// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/damaged_entries.hpp: entries of the journal that cannot be
// read: what they promise is not known.
//
// Threads: any. Blocks: on the journal's folder.

#ifndef TOOLS_TELEPORTCTL_DAMAGED_ENTRIES_HPP
#define TOOLS_TELEPORTCTL_DAMAGED_ENTRIES_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// @param folder  the journal's; one that is not there has none
/// @return what is wrong with each, which names its file
[[nodiscard]] std::vector<error> damaged_entries(const std::string& folder);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_DAMAGED_ENTRIES_HPP
