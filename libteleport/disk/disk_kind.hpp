// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_kind.hpp: the kinds of places in which a guest's disk
// can lie, and all that the rest of the tree asks of a kind.
//
// A new kind is a number, an entry's name and a line of disk_kinds here; and a
// file with the class of its disks (disk_home.hpp), that of the store in which
// they are made, if any are (disk_store.hpp), and the entry. Its page is
// teleport.conf(5).
//
// Threads: constants.

#ifndef LIBTELEPORT_DISK_DISK_KIND_HPP
#define LIBTELEPORT_DISK_DISK_KIND_HPP

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"

namespace teleport {

class disk_home;
class disk_store;
struct disk_place;
struct store_config;

/// Written into the book of kept disks: never reused or renumbered.
enum class disk_kind {
  /// A regular file, behind a loop device or named directly.
  file = 1,
  /// An LVM logical volume, thick or thin.
  logical_volume = 2,
  /// Any other block device. It has one name and one size.
  other_device = 3,
};

/// A value of the key `kind` in teleport.conf(5), [store].
struct store_word {
  std::string_view word;
  bool thin = false;  ///< store_config::thin
};

/// What one kind is and does.
struct disk_kind_entry {
  disk_kind kind{};
  /// The place of what a device names; none when it is of another kind.
  result<std::optional<disk_place>> (*find)(const std::string& device) =
      nullptr;
  std::unique_ptr<disk_home> (*make_home)(disk_place place) = nullptr;
  /// nullptr where no disk is made of this kind.
  result<std::unique_ptr<disk_store>> (*open_store)(
      const store_config& config) = nullptr;
  std::span<const store_word> words = {};  ///< of its stores
  /// What the keys of [store] lack for such a store, as "'store.path' must be
  /// ..."; nullptr where no disk is made of this kind.
  std::optional<std::string> (*check_store)(const store_config& config) =
      nullptr;
  /// xl.cfg(5) names a regular file, and no block device.
  bool is_file = false;
  /// Its name is dealt anew at each boot, and may be another disk's by then.
  bool is_named_by_kernel = false;
};

extern const disk_kind_entry file_kind;    // file_home.cpp
extern const disk_kind_entry volume_kind;  // volume_home.cpp
extern const disk_kind_entry device_kind;  // device_home.cpp

/// In the order in which find() is asked: the last takes every device.
inline constexpr std::array disk_kinds = {
    &file_kind, &volume_kind, &device_kind};

[[nodiscard]] const disk_kind_entry& entry_of(disk_kind kind);

/// The kind of a number that was read from the book; none of an unknown one.
[[nodiscard]] std::optional<disk_kind> disk_kind_of(int number);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_KIND_HPP
