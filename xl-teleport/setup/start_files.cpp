// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/start_files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <unistd.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

/// It may have a password of VNC's; xl and xendomains are root's.
constexpr mode_t config_mode = 0600;

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

/// Whether the text names this very path: "/img/a" is not in "/img/a.old".
bool names_path(std::string_view config, std::string_view path) {
  const auto is_end = [&](std::size_t at) {
    return at >= config.size() ||
           std::string_view("'\", \t\n").find(config[at]) != std::string::npos;
  };
  for (auto at = config.find(path); at != std::string_view::npos;
       at = config.find(path, at + 1)) {
    const bool begins =
        at == 0 ||
        std::string_view("'\":=, \t").find(config[at - 1]) != std::string::npos;
    if (begins && is_end(at + path.size())) {
      return true;
    }
  }
  return false;
}

bool names_all(const std::string& config,
               const std::vector<start_disk>& disks) {
  return std::ranges::all_of(disks, [&](const start_disk& disk) {
    return disk.path.empty() || names_path(config, disk.path);
  });
}

/// The configuration at a path, if it is this guest's beyond doubt: of its
/// uuid, or without one, of its name and with all of its disks.
std::optional<std::string> certain_config_at(
    const std::string& path,
    const guest_name& guest,
    const std::vector<start_disk>& disks) {
  auto text = config_at(path, guest);
  const bool certain = text && (text_value(*text, "uuid") ||
                                (!disks.empty() && names_all(*text, disks)));
  return certain ? std::move(text) : std::nullopt;
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

error link_taken(const std::string& folder, const std::string& name) {
  return {errc::refused,
          folder + "/" + name + " is there and starts another guest"};
}

/// A name that is in use in `auto` may be another guest's.
result<void> link_in(const std::string& folder,
                     const std::string& name,
                     const std::string& other_name) {
  std::error_code ignored;
  fs::create_directory(folder, ignored);
  for (const std::string& link : {name, other_name}) {
    const fs::path path = fs::path(folder) / link;
    if (::symlink(("../" + name).c_str(), path.c_str()) == 0) {
      return sync_folder(folder);
    }
    if (errno != EEXIST) {
      return system_error(errno, "link " + path.string());
    }
  }
  return link_taken(folder, other_name);
}

bool is_link(const std::string& path) {
  std::error_code ignored;
  return fs::is_symlink(fs::symlink_status(path, ignored));
}

/// The second name of a configuration or a link, where the first is taken.
std::string other_name(const guest_name& guest) {
  return guest.name + "-" + guest.uuid + ".cfg";
}

}  // namespace

std::optional<std::string> config_at(const std::string& path,
                                     const guest_name& guest) {
  auto text = read_small_file(path, max_start_file_bytes);
  return text && is_config_of(*text, guest.name, guest.uuid)
             ? std::optional(std::move(*text))
             : std::nullopt;
}

/// @param hidden  those as well that xendomains passes over
std::vector<std::string> start_files::autostart_of(const guest_name& guest,
                                                   bool hidden) const {
  std::vector<std::string> found;
  for (const std::string& path : entries_of(folder_ + "/auto")) {
    const bool is_hidden = path[path.rfind('/') + 1] == '.';
    if ((hidden || !is_hidden) && config_at(path, guest)) {
      found.push_back(path);
    }
  }
  return found;
}

std::optional<start_file> start_files::find(const guest_name& guest) const {
  const auto links = autostart_of(guest, false);
  std::vector<std::string> places{folder_ + "/" + guest.name + ".cfg"};
  std::ranges::copy(links, std::back_inserter(places));
  for (const std::string& path : entries_of(folder_)) {
    if (path.ends_with(".cfg")) {
      places.push_back(path);
    }
  }
  for (const bool by_uuid : {true, false}) {
    for (const std::string& path : places) {
      const auto text = config_at(path, guest);
      if (text && (!by_uuid || text_value(*text, "uuid"))) {
        return start_file{without_section(*text), !links.empty()};
      }
    }
  }
  return std::nullopt;
}

/// Never over what may be another guest's.
result<std::string> start_files::place_for(
    const guest_name& guest, const std::vector<start_disk>& disks) const {
  std::string path = folder_ + "/" + guest.name + ".cfg";
  if (!is_there(path) || certain_config_at(path, guest, disks)) {
    return path;
  }
  const std::string why =
      path + (config_at(path, guest)
                  ? " has no uuid and other disks, and may be another guest's"
                  : " is another guest's");
  path = folder_ + "/" + other_name(guest);
  if (is_there(path) && !certain_config_at(path, guest, disks)) {
    return error(errc::refused,
                 why + ", and so may " + path + ": no configuration of " +
                     guest.name + " is written");
  }
  return path;
}

result<std::string> start_files::write(
    const guest_name& guest,
    const start_file& from,
    const std::vector<start_disk>& disks) const {
  if (auto fit = check_disk_name(guest.name); !fit) {
    return error(
        errc::refused,
        "no configuration is written for a guest of the name " + guest.name);
  }
  const auto place = place_for(guest, disks);
  if (!place) {
    return place.error();
  }
  const std::string& path = *place;
  if (path.ends_with("/" + other_name(guest))) {
    log_warning(folder_ + "/" + guest.name +
                ".cfg is another guest's, or may be: the configuration is " +
                path);
  }
  const auto known = config_at(path, guest);
  if (!known || !names_all(*known, disks)) {
    // The owner's text on this host stays; what the source has is for a host
    // that has none.
    const auto written = rewrite_durably(
        path,
        with_disks(known ? *known : from.text, guest.uuid, disks),
        config_mode);
    if (!written) {
      return written.error();
    }
  }
  const auto links = autostart_of(guest, false);
  const bool starts = std::ranges::any_of(links, [&](const std::string& link) {
    return certain_config_at(link, guest, disks).has_value();
  });
  if (from.autostart && !starts) {
    const auto linked = link_in(
        folder_ + "/auto", path.substr(path.rfind('/') + 1), other_name(guest));
    if (!linked) {
      return linked.error();
    }
  }
  return path;
}

result<void> start_files::remove_autostart(const guest_name& guest) const {
  for (const std::string& path : autostart_of(guest, true)) {
    const auto removed = is_link(path)
                             ? remove_durably(path)
                             : rename_durably(path, beside_auto(path));
    if (!removed) {
      return in_context("take " + path + " out of the autostart",
                        removed.error());
    }
  }
  return {};
}

std::string start_files::beside_auto(const std::string& path) const {
  return folder_ + path.substr(path.rfind('/'));
}

std::vector<std::string> start_files::configs_of(
    const guest_name& guest, const std::vector<std::string>& disks) const {
  std::vector<std::string> found;
  for (const std::string& path : entries_of(folder_)) {
    const auto text = config_at(path, guest);
    const bool its_own =
        text && (text_value(*text, "uuid") || disks.empty() ||
                 std::ranges::any_of(disks, [&](const std::string& disk) {
                   return names_path(*text, disk);
                 }));
    if (its_own) {
      found.push_back(path);
    }
  }
  return found;
}

result<std::vector<std::string>> start_files::set_aside(
    const guest_name& guest, const std::vector<std::string>& disks) const {
  std::vector<std::string> aside;
  for (const std::string& path : configs_of(guest, disks)) {
    if (path.ends_with(shadow_suffix)) {
      aside.push_back(path);
      continue;
    }
    std::string to = path + std::string(shadow_suffix);
    const auto renamed = rename_durably(path, to);
    if (!renamed) {
      return renamed.error();
    }
    aside.push_back(std::move(to));
  }
  return aside;
}

result<void> start_files::check_departure(
    const guest_name& guest,
    const std::optional<std::vector<std::string>>& disks) const {
  const auto check = [](const std::string& from, const std::string& to) {
    return is_there(to) ? error(errc::busy,
                                from + " would become " + to +
                                    " when the guest has left, which exists "
                                    "already: move that elsewhere")
                        : result<void>();
  };
  for (const std::string& path : autostart_of(guest, true)) {
    if (is_link(path)) {
      continue;
    }
    const std::string to = beside_auto(path);
    auto free = check(path, to);
    if (free && disks) {
      free = check(path, to + std::string(shadow_suffix));
    }
    if (!free) {
      return free;
    }
  }
  for (const std::string& path :
       disks ? configs_of(guest, *disks) : std::vector<std::string>()) {
    const auto free = path.ends_with(shadow_suffix)
                          ? result<void>()
                          : check(path, path + std::string(shadow_suffix));
    if (!free) {
      return free;
    }
  }
  return {};
}

result<void> start_files::check_arrival(
    const guest_name& guest,
    const start_file& from,
    const std::vector<start_disk>& disks) const {
  if (!check_disk_name(guest.name)) {
    return {};  // no configuration is written for such a name
  }
  const auto place = place_for(guest, disks);
  if (!place) {
    return place.error();
  }
  const std::string auto_folder = folder_ + "/auto";
  const std::string name = place->substr(place->rfind('/') + 1);
  const bool taken = is_there(auto_folder + "/" + name) &&
                     is_there(auto_folder + "/" + other_name(guest));
  return from.autostart && taken && autostart_of(guest, false).empty()
             ? link_taken(auto_folder, other_name(guest))
             : result<void>();
}

result<void> start_files::bring_back(const guest_name& guest) const {
  for (const std::string& path : entries_of(folder_)) {
    const std::string name =
        path.ends_with(shadow_suffix)
            ? path.substr(0, path.size() - shadow_suffix.size())
            : path;
    if (name == path || is_there(name) || !config_at(path, guest)) {
      continue;
    }
    if (auto renamed = rename_durably(path, name); !renamed) {
      return renamed;
    }
  }
  return {};
}

}  // namespace teleport
