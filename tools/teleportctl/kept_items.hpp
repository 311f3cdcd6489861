// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/kept_items.hpp: the disks that are kept here for guests
// elsewhere, with what people ask of each: how old, how large, whose.
//
// Threads: any. Blocks: on files, Xen, and on LVM's commands.

#ifndef TOOLS_TELEPORTCTL_KEPT_ITEMS_HPP
#define TOOLS_TELEPORTCTL_KEPT_ITEMS_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "xl-teleport/setup/kept_standing.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct kept_item {
  kept_disk disk;
  kept_standing standing = kept_standing::kept;
  bool is_there = false;  ///< under one of its names
  /// Bytes that it has of its pool's space; none where it cannot be told.
  std::optional<std::uint64_t> held;
  std::int64_t written = 0;  ///< the entry, in seconds since 1970
  std::chrono::seconds age{0};
  /// The host that brought the disk, or to which its guest went: its name, or
  /// the beginning of its key; empty where that is not known.
  std::string host;
};

/// By guest and disk. A disk of a guest that runs here is none of them:
/// teleportd removes its entry.
[[nodiscard]] result<std::vector<kept_item>> look_at_kept(
    const settings& options);

/// A shadow's own home, or the store's of a target that was begun there.
[[nodiscard]] result<std::unique_ptr<disk_home>> home_of(
    const kept_disk& disk, const settings& options);

/// "shadow", "partial" or "unsettled".
[[nodiscard]] const char* kind_of(const kept_item& item);

[[nodiscard]] nlohmann::json to_json(const kept_item& item);

/// A line, and the one above them all.
[[nodiscard]] std::string line_of(const kept_item& item);
[[nodiscard]] std::string heading_of_items();

/// "3 d", "5 h", "12 min".
[[nodiscard]] std::string age_text(std::chrono::seconds age);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_KEPT_ITEMS_HPP
