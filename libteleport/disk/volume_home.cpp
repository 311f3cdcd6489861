// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/volume_home.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "libteleport/disk/logical_volume.hpp"
#include "libteleport/disk/lvm_store.hpp"

namespace teleport {

namespace {

constexpr std::array<store_word, 2> words{
    {{"lvm"}, {.word = "lvm-thin", .thin = true}}};

std::optional<std::string> check_store(const store_config& config) {
  if (config.path.empty() || config.path.find('/') != std::string::npos) {
    return "'store.path' must be the name of a volume group, as \"vg0\"";
  }
  return config.thin && config.thin_pool.empty()
             ? std::optional<std::string>(
                   "'store.pool' must be the name of a thin pool")
             : std::nullopt;
}

result<volume_name> volume_in(const std::string& path) {
  const auto name = parse_volume_path(path);
  if (!name) {
    return error(errc::bad_input, path + " is not the path of a volume");
  }
  return *name;
}

/// A volume, and what LVM says of it.
struct asked_volume {
  volume_name name;
  std::vector<std::string> columns;
};

/// @param columns  as of ask_lvm()
result<asked_volume> ask_volume(const result<std::string>& path,
                                const std::string& columns) {
  auto name = path ? volume_in(*path) : result<volume_name>(path.error());
  if (!name) {
    return name.error();
  }
  auto said = ask_lvm("lvs", columns, name->argument());
  return said ? result<asked_volume>(
                    asked_volume{std::move(*name), std::move(*said)})
              : result<asked_volume>(said.error());
}

/// LVM's percentage of a size, rounded up: a volume never holds less.
std::uint64_t share_of(std::uint64_t size, const std::string& percent) {
  const double part = std::strtod(percent.c_str(), nullptr) / 100.0;
  const auto bytes =
      static_cast<std::uint64_t>(std::ceil(static_cast<double>(size) * part));
  return std::min(bytes, size);
}

result<void> check_extents(const std::string& name,
                           std::uint64_t size,
                           std::uint64_t extent) {
  return extent != 0 && size % extent == 0
             ? result<void>()
             : error(errc::bad_input,
                     fmt::format("the volume {} cannot get {} bytes, which "
                                 "are no multiple of its group's extents of {}",
                                 name,
                                 size,
                                 extent));
}

}  // namespace

constinit const disk_kind_entry volume_kind{.kind = disk_kind::logical_volume,
                                            .find = volume_home::find,
                                            .make_home = make_home<volume_home>,
                                            .open_store = open_lvm_store,
                                            .words = words,
                                            .check_store = check_store};

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
  const auto volume = ask_volume(name, "vg_uuid,lv_uuid");
  return volume
             ? identity_of_volume(volume->columns.at(0), volume->columns.at(1))
             : result<disk_identity>(volume.error());
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
  if (!active) {
    return active.error();
  }
  return name == place().aside ? renamable_path(name) : name;
}

/// A volume stays active.
result<void> volume_home::close(const std::string& /*name*/) {
  return {};
}

result<void> volume_home::check_fillable(const std::string& name) {
  const auto volume = ask_volume(name, "pool_lv");
  if (!volume) {
    return volume.error();
  }
  const std::string& pool = volume->columns.at(0);
  return pool.empty() ? result<void>()
                      : check_pool_zeroes(volume->name.group + "/" + pool);
}

result<std::uint64_t> volume_home::held_bytes() const {
  const auto volume =
      ask_volume(present_name(), "lv_size,pool_lv,data_percent");
  if (!volume) {
    return volume.error();
  }
  const auto& columns = volume->columns;
  const auto size = bytes_from_lvm(columns.at(0));
  if (!size || columns.at(1).empty()) {
    return size;
  }
  return share_of(*size, columns.at(2));
}

result<std::optional<disk_space>> volume_home::space() const {
  const auto volume = ask_volume(present_name(), "pool_lv");
  auto here = volume ? space_of(volume->name.group, volume->columns.at(0))
                     : result<disk_space>(volume.error());
  return here ? result<std::optional<disk_space>>(std::move(*here))
              : result<std::optional<disk_space>>(here.error());
}

result<disk_space> volume_home::space_of(const std::string& group,
                                         const std::string& pool) {
  if (pool.empty()) {
    const auto columns = ask_lvm("vgs", "vg_free", group);
    const auto free = columns ? bytes_from_lvm(columns->at(0))
                              : result<std::uint64_t>(columns.error());
    return free ? result<disk_space>(disk_space{"volume group " + group, *free})
                : result<disk_space>(free.error());
  }
  const auto columns =
      ask_lvm("lvs", "lv_size,data_percent", group + "/" + pool);
  if (!columns) {
    return columns.error();
  }
  const auto size = bytes_from_lvm(columns->at(0));
  if (!size) {
    return size.error();
  }
  const std::uint64_t used = share_of(*size, columns->at(1));
  return disk_space{"thin pool " + group + "/" + pool, *size - used};
}

result<void> volume_home::check_new_size(std::uint64_t size) const {
  const auto volume = volume_in(place().backing);
  if (!volume) {
    return volume.error();
  }
  const auto columns = ask_lvm("vgs", "vg_extent_size", volume->group);
  const auto extent = columns ? bytes_from_lvm(columns->at(0))
                              : result<std::uint64_t>(columns.error());
  if (!extent) {
    return extent.error();
  }
  return check_extents(place().backing, size, *extent);
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
  if (auto whole = check_extents(name, size, *extent); !whole) {
    return whole;
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

result<void> volume_home::remove_at(const std::string& name) {
  const auto volume = volume_in(name);
  if (!volume) {
    return volume.error();
  }
  const auto columns = ask_lvm("lvs", "lv_attr", volume->argument());
  if (!columns) {
    return columns.error();
  }
  // lvs(8), lv_attr: LVM would remove the snapshots of a thick volume with it.
  const char type = columns->at(0).empty() ? '?' : columns->at(0).front();
  if (type == 'o' || type == 'O') {
    return error(errc::refused, name + " has snapshots: remove these first");
  }
  // --yes, for it is active; LVM refuses one that is open all the same.
  const auto done = run_lvm({"lvremove", "--yes", volume->argument()});
  return done ? result<void>() : result<void>(done.error());
}

}  // namespace teleport
