// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/volume_home.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/disk/logical_volume.hpp"

namespace teleport {

namespace {

result<volume_name> volume_in(const std::string& path) {
  const auto name = parse_volume_path(path);
  if (!name) {
    return error(errc::bad_input, path + " is not the path of a volume");
  }
  return *name;
}

}  // namespace

disk_place volume_home::place_of(std::string path) {
  std::string aside = path + std::string(shadow_suffix);
  return {disk_kind::logical_volume, path, std::move(path), std::move(aside)};
}

result<std::optional<disk_place>> volume_home::find(const std::string& device) {
  const auto volume = volume_of_device(device);
  if (!volume) {
    return volume.error();
  }
  if (!*volume) {
    return std::optional<disk_place>();
  }
  disk_place place = place_of((*volume)->path());
  place.device = device;
  return std::optional(std::move(place));
}

/// Also while it is inactive, and has no node in /dev.
result<bool> volume_home::exists(const std::string& name) const {
  const auto volume = volume_in(name);
  return volume ? volume_exists(*volume) : result<bool>(volume.error());
}

result<disk_identity> volume_home::identify(const std::string& name) const {
  const auto volume = volume_in(name);
  if (!volume) {
    return volume.error();
  }
  const auto columns = ask_lvm("lvs", "vg_uuid,lv_uuid", volume->argument());
  return columns ? identity_of_volume(columns->at(0), columns->at(1))
                 : result<disk_identity>(columns.error());
}

result<void> volume_home::rename(const std::string& from,
                                 const std::string& to) {
  const auto old_name = volume_in(from);
  const auto new_name = volume_in(to);
  if (!old_name || !new_name) {
    return old_name ? new_name.error() : old_name.error();
  }
  return rename_volume(*old_name, new_name->volume);
}

result<std::string> volume_home::open(const std::string& name) {
  const auto volume = volume_in(name);
  if (!volume) {
    return volume.error();
  }
  const auto active = activate_volume(*volume);
  return active ? result<std::string>(name)
                : result<std::string>(active.error());
}

/// A volume stays active.
result<void> volume_home::close(const std::string& /*name*/) {
  return {};
}

result<void> volume_home::check_fillable(const std::string& name) {
  const auto volume = volume_in(name);
  if (!volume) {
    return volume.error();
  }
  const auto columns = ask_lvm("lvs", "pool_lv", volume->argument());
  if (!columns) {
    return columns.error();
  }
  const std::string& pool = columns->at(0);
  return pool.empty() ? result<void>()
                      : check_pool_zeroes(volume->group + "/" + pool);
}

result<void> volume_home::resize_at(const std::string& name,
                                    std::uint64_t size) {
  const auto volume = volume_in(name);
  if (!volume) {
    return volume.error();
  }
  const auto columns =
      ask_lvm("lvs", "lv_size,vg_extent_size", volume->argument());
  if (!columns) {
    return columns.error();
  }
  const auto now = bytes_from_lvm(columns->at(0));
  const auto extent = bytes_from_lvm(columns->at(1));
  if (!now || !extent) {
    return now ? extent.error() : now.error();
  }
  if (*now == size) {
    return {};
  }
  if (*extent == 0 || size % *extent != 0) {
    return error(errc::bad_input,
                 fmt::format("the volume {} cannot get {} bytes, which are no "
                             "multiple of its group's extents of {}",
                             name,
                             size,
                             *extent));
  }
  // --force: yes, smaller as well; --fs ignore is its default here.
  const auto done = run_lvm({"lvresize",
                             "--yes",
                             "--force",
                             "--size",
                             std::to_string(size) + "b",
                             volume->argument()});
  return done ? result<void>() : result<void>(done.error());
}

}  // namespace teleport
