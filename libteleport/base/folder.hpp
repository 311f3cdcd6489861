// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/folder.hpp: a folder in which each file is one entry: peers,
// kept disks, journalled teleports.
//
// Threads: any. Blocks: for as long as the file system does.

#ifndef LIBTELEPORT_BASE_FOLDER_HPP
#define LIBTELEPORT_BASE_FOLDER_HPP

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

/// From the root on, and in one line.
[[nodiscard]] bool is_absolute_path(std::string_view text);

/// Paths of the files whose extension is `extension` (".json"), in no order.
///
/// @error errc::not_found where there is no such folder; errc::system
[[nodiscard]] result<std::vector<std::string>> files_in(
    const std::string& folder, std::string_view extension);

/// What `read(path)` makes of each of them; an entry that it cannot read is
/// logged and left out.
///
/// @param read  from a path to a result<Entry>
/// @error as files_in()
template <class Read>
[[nodiscard]] auto read_entries(const std::string& folder,
                                std::string_view extension,
                                Read read) {
  using entry_type = std::remove_reference_t<decltype(*read(std::string()))>;
  using entries_type = std::vector<entry_type>;
  const auto files = files_in(folder, extension);
  if (!files) {
    return result<entries_type>(files.error());
  }
  entries_type entries;
  for (const std::string& file : *files) {
    auto entry = read(file);
    if (entry) {
      entries.push_back(std::move(*entry));
    } else {
      log_warning(entry.error().context);
    }
  }
  return result<entries_type>(std::move(entries));
}

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_FOLDER_HPP
