// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/store_mount.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/file_system.hpp"

namespace teleport {

namespace {

constexpr std::size_t most_bytes = 16_KiB;  // two paths

std::string file_of(const settings& options) {
  return options.state_path + "/store-mount";
}

/// A volume group is mounted nowhere, and LVM says when it is missing.
bool has_mount(const settings& options) {
  return entry_of(options.store.kind).is_file;
}

result<std::optional<store_mount>> read_noted(const settings& options) {
  const auto text = read_small_file(file_of(options), most_bytes);
  if (!text) {
    return text.error().code == errc::not_found
               ? result<std::optional<store_mount>>(std::nullopt)
               : text.error();
  }
  const auto json = parse_object(*text, most_bytes);
  if (!json) {
    return in_context(file_of(options), json.error());
  }
  json_fields fields(*json);
  store_mount noted;
  noted.store = fields.raw_text("store", most_bytes);
  noted.mount_point = fields.raw_text("mount_point", most_bytes);
  if (fields.failed()) {
    return error(errc::corrupt, file_of(options) + ": " + *fields.failed());
  }
  return std::optional(std::move(noted));
}

result<store_mount> look_at_mount(const settings& options) {
  std::error_code failed;
  const std::string real =
      std::filesystem::canonical(options.store.path, failed);
  if (failed) {
    return system_error(failed.value(),
                        "the store's directory " + options.store.path);
  }
  auto point = mount_point_of(real);
  return point ? store_mount{options.store.path, std::move(*point)}
               : result<store_mount>(point.error());
}

/// Whether one mount point is on the file system of the other, or below that.
bool is_below(const std::string& point, const std::string& other) {
  return point.starts_with(other == "/" ? other : other + "/");
}

}  // namespace

result<void> check_mount(const store_mount& before, const store_mount& now) {
  if (before.store != now.store || before.mount_point == now.mount_point ||
      !is_below(before.mount_point, now.mount_point)) {
    return {};
  }
  return error(errc::refused,
               fmt::format("the store {} was on the file system mounted at {}, "
                           "which is not mounted now: disks would fill the one "
                           "at {}",
                           now.store,
                           before.mount_point,
                           now.mount_point));
}

result<std::unique_ptr<disk_store>> open_mounted_store(
    const settings& options) {
  // Its folder is opened first, which makes an automounter mount it.
  auto store = open_store(options.store);
  if (!store || !has_mount(options)) {
    return store;
  }
  const auto noted = read_noted(options);
  if (!noted) {
    return noted.error();
  }
  const auto now = look_at_mount(options);
  if (!now) {
    return now.error();
  }
  const auto mounted = *noted ? check_mount(**noted, *now) : result<void>();
  if (!mounted) {
    return error(mounted.error().code,
                 fmt::format("{}; mount it, or run 'rm {}' where it is gone "
                             "for good",
                             mounted.error().context,
                             file_of(options)));
  }
  return store;
}

result<void> note_store_mount(const settings& options) {
  const auto store = open_mounted_store(options);
  if (!store || !has_mount(options)) {
    return store ? result<void>() : result<void>(store.error());
  }
  const auto noted = read_noted(options);
  const auto now = look_at_mount(options);
  if (!noted || !now) {
    return !noted ? noted.error() : now.error();
  }
  if (*noted && (*noted)->store == now->store &&
      (*noted)->mount_point == now->mount_point) {
    return {};
  }
  if (const auto made = make_folders(options.state_path); !made) {
    return made;
  }
  const nlohmann::json json{{"store", now->store},
                            {"mount_point", now->mount_point}};
  return write_durably(file_of(options), dump(json, 1) + "\n", 0600);
}

}  // namespace teleport
