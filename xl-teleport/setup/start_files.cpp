// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/start_files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_store.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

constexpr mode_t config_mode = 0644;

/// The configuration at a path, if it is this guest's.
std::optional<std::string> config_at(const std::string& path,
                                     const guest_name& guest) {
  auto text = read_small_file(path, max_start_file_bytes);
  return text && is_config_of(*text, guest.name, guest.uuid)
             ? std::optional(std::move(*text))
             : std::nullopt;
}

result<void> flush_folder(const std::string& folder) {
  const unique_fd opened(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened && ::fsync(opened.get()) == 0
             ? result<void>()
             : system_error(errno, "flush " + folder);
}

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

bool names_all(const std::string& config,
               const std::vector<start_disk>& disks) {
  return std::ranges::all_of(disks, [&](const start_disk& disk) {
    return disk.path.empty() || config.find(disk.path) != std::string::npos;
  });
}

}  // namespace

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
  for (const std::string& path : places) {
    if (auto text = config_at(path, guest)) {
      return start_file{without_section(*text), !links.empty()};
    }
  }
  return std::nullopt;
}

/// Never over another guest's.
std::string start_files::place_for(const guest_name& guest) const {
  std::string path = folder_ + "/" + guest.name + ".cfg";
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored)) &&
      !config_at(path, guest)) {
    path = folder_ + "/" + guest.name + "-" + guest.uuid + ".cfg";
    log_warning(folder_ + "/" + guest.name +
                ".cfg is another guest's: the configuration of " + guest.name +
                " is written to " + path);
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
  const std::string path = place_for(guest);
  const auto known = config_at(path, guest);
  if (!known || !names_all(*known, disks)) {
    // The owner's text on this host stays; what the source has is for a host
    // that has none.
    const auto written =
        write_durably(path,
                      with_disks(known ? *known : from.text, guest.uuid, disks),
                      config_mode);
    if (!written) {
      return written.error();
    }
  }
  if (from.autostart && autostart_of(guest, false).empty()) {
    const std::string folder = folder_ + "/auto";
    const std::string name = path.substr(path.rfind('/') + 1);
    std::error_code ignored;
    fs::create_directory(folder, ignored);
    if (::symlink(("../" + name).c_str(), (folder + "/" + name).c_str()) != 0) {
      return system_error(errno, "link " + folder + "/" + name);
    }
    if (const auto flushed = flush_folder(folder); !flushed) {
      return flushed.error();
    }
  }
  return path;
}

result<void> start_files::remove_autostart(const guest_name& guest) const {
  for (const std::string& path : autostart_of(guest, true)) {
    std::error_code failed;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, failed));
    const std::string aside = folder_ + path.substr(path.rfind('/'));
    const int r = is_link ? ::unlink(path.c_str())
                          : ::renameat2(AT_FDCWD,
                                        path.c_str(),
                                        AT_FDCWD,
                                        aside.c_str(),
                                        RENAME_NOREPLACE);
    if (r != 0) {
      return system_error(errno, "take " + path + " out of the autostart");
    }
    if (const auto flushed = flush_folder(folder_ + "/auto"); !flushed) {
      return flushed;
    }
  }
  return {};
}

}  // namespace teleport
