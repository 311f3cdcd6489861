// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/damaged_entries.hpp"

#include <filesystem>
#include <system_error>

#include "libteleport/migrate/journal.hpp"

namespace teleport {

std::vector<error> damaged_entries(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<error> damaged;
  std::error_code missing;
  for (fs::directory_iterator it(folder, missing), end; !missing && it != end;
       it.increment(missing)) {
    const auto kind = it->path().extension();
    if (kind != ".source" && kind != ".destination") {
      continue;
    }
    if (const auto entry = journal::read_file(it->path()); !entry) {
      damaged.push_back(entry.error());
    }
  }
  return damaged;
}

}  // namespace teleport
