// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/durable_file.hpp: small files that a crash leaves whole.
//
// Blocks: on the disk, until what was written is durable.

#ifndef LIBTELEPORT_BASE_DURABLE_FILE_HPP
#define LIBTELEPORT_BASE_DURABLE_FILE_HPP

#include <string>
#include <string_view>

#include <sys/types.h>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Replaces `path` by `content` (write beside it, fsync, rename, fsync of the
/// folder): after a crash the old or the new file is there, whole.
///
/// @param mode  less the umask, from the first byte, whatever mode the old file
///              has
result<void> write_durably(const std::string& path,
                           std::string_view content,
                           mode_t mode);

/// The same of a file that is an administrator's as well: the new one has the
/// old one's mode and owner, and no ACL. A link that leads to it stays.
///
/// @param mode  where there is no old one
result<void> rewrite_durably(const std::string& path,
                             std::string_view content,
                             mode_t mode);

/// Replaces `path` by `content` without an fsync, for what ends with the boot:
/// a reader sees the old file or the new one, whole.
result<void> replace_file(const std::string& path,
                          std::string_view content,
                          mode_t mode);

/// Removes a file durably; one that is not there is no error.
result<void> remove_durably(const std::string& path);

/// Renames a file, never over another: fsync of both its folders.
///
/// @error errc::busy where `to` is there
result<void> rename_durably(const std::string& from, const std::string& to);

/// fsync of a folder: what was made, renamed or removed in it is durable.
result<void> sync_folder(const std::string& folder);

/// @param limit  bytes; a longer file is errc::corrupt
[[nodiscard]] result<std::string> read_small_file(const std::string& path,
                                                  std::size_t limit);

/// Makes a folder and its parents durably, mode 0700; one that is there is no
/// error, and a parent that is there keeps its mode.
result<void> make_folders(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_DURABLE_FILE_HPP
