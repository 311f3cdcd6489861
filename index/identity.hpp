// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/identity.hpp: which disk is it that a path names now?
//
// Threads: functions without state. Blocks: a stat and a few reads of sysfs.
// Trust: the path is the administrator's.

#ifndef INDEX_IDENTITY_HPP
#define INDEX_IDENTITY_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport::index {

struct disk_identity {
  /// "file DEV:INO", "dm UUID" or "disk MAJ:MIN seq DISKSEQ".
  std::string name;
  /// Nanoseconds since 1970 of a file's last change; 0 for block devices.
  std::uint64_t changed_at = 0;
  bool is_file = false;
};

/// @error errc::not_found; errc::bad_input when it is neither a block device
///        nor a regular file
[[nodiscard]] result<disk_identity> identify(const std::string& path);

}  // namespace teleport::index

#endif  // INDEX_IDENTITY_HPP
