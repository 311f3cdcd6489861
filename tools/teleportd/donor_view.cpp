// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/donor_view.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

device_number number_of(dev_t number) {
  return {major(number), minor(number)};
}

/// "7:3", in decimal as sysfs has it.
std::optional<device_number> read_pair(std::string_view text) {
  device_number number;
  const char* const end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, number.major);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ':') {
    return std::nullopt;
  }
  parsed = std::from_chars(parsed.ptr + 1, end, number.minor);
  return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

/// "loop3", but not "loop3p1" and not "loop-control".
bool is_loop_name(std::string_view name) {
  constexpr std::string_view prefix = "loop";
  return name.size() > prefix.size() && name.starts_with(prefix) &&
         std::ranges::all_of(name.substr(prefix.size()),
                             [](char c) { return c >= '0' && c <= '9'; });
}

/// The file under a loop device, when the device is all of it and the file can
/// be reached by that name. What was deleted the kernel marks; a file that is
/// really called so is passed over with it.
std::string file_under(const std::string& folder) {
  constexpr std::string_view deleted = " (deleted)";
  std::string file = first_line(folder + "/backing_file");
  const std::string offset = first_line(folder + "/offset");
  const std::string limit = first_line(folder + "/sizelimit");
  const bool whole =
      (offset.empty() || offset == "0") && (limit.empty() || limit == "0");
  return whole && file.starts_with('/') && !file.ends_with(deleted)
             ? std::move(file)
             : std::string();
}

/// Of the folder in which something is missing.
device_number filesystem_of(const fs::path& folder) {
  struct stat about {};
  return ::stat(folder.c_str(), &about) == 0 ? number_of(about.st_dev)
                                             : device_number();
}

/// An image that a scan would find something in.
bool is_image(const fs::path& path) {
  struct stat about {};
  if (path.filename().native().starts_with('.') ||
      path.native().find('\n') != std::string::npos ||
      ::lstat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return false;
  }
  const auto size = static_cast<std::uint64_t>(about.st_size);
  return has_image_size(size) && about.st_blocks != 0;
}

/// Looks up each thing once.
class resolver {
 public:
  resolver(donor_view& view, const host_roots& roots)
      : view_(view), roots_(roots) {}

  void learn(const std::string& path) {
    if (path.empty() || view_.paths.contains(path)) {
      return;
    }
    const path_facts facts = look_at_path(path);
    view_.paths.emplace(path, facts);
    if (facts.what == path_facts::kind::device) {
      learn(facts.number);
    }
  }
  void learn(device_number number) {
    if (view_.devices.contains(number)) {
      return;
    }
    const auto facts = look_at_device(number, roots_);
    if (!facts) {
      return;
    }
    view_.devices.emplace(number, *facts);
    learn(facts->node);
    learn(facts->mapper);
    learn(facts->backing);
  }
  void learn_loops() {
    std::error_code ignored;
    for (const auto& entry :
         fs::directory_iterator(roots_.sysfs + "/block", ignored)) {
      const std::string name = entry.path().filename();
      const auto number = is_loop_name(name)
                              ? read_pair(first_line(entry.path() / "dev"))
                              : std::nullopt;
      if (number) {
        learn(*number);
      }
    }
  }

 private:
  donor_view& view_;
  const host_roots& roots_;
};

}  // namespace

path_facts look_at_path(const std::string& path) {
  path_facts facts;
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      facts.what = path_facts::kind::unreachable;
    }
    facts.on = filesystem_of(fs::path(path).parent_path());
    return facts;
  }
  if (S_ISBLK(about.st_mode)) {
    facts.what = path_facts::kind::device;
    facts.number = number_of(about.st_rdev);
    return facts;
  }
  if (!S_ISREG(about.st_mode)) {
    facts.what = path_facts::kind::other;
    return facts;
  }
  std::error_code failed;
  facts.real = fs::canonical(path, failed);
  facts.what = failed ? path_facts::kind::unreachable : path_facts::kind::file;
  facts.on = number_of(about.st_dev);
  facts.inode = about.st_ino;
  facts.size = static_cast<std::uint64_t>(about.st_size);
  return facts;
}

std::optional<device_facts> look_at_device(device_number number,
                                           const host_roots& roots) {
  const std::string folder = block_folder(
      numbers_of(makedev(number.major, number.minor)), roots.sysfs);
  constexpr std::string_view key = "DEVNAME=";
  std::ifstream uevent(folder + "/uevent");
  std::string name;
  for (std::string line; name.empty() && std::getline(uevent, line);) {
    if (line.starts_with(key)) {
      name = line.substr(key.size());
    }
  }
  if (name.empty()) {
    return std::nullopt;
  }
  device_facts facts;
  facts.node = roots.devices + "/" + name;
  const std::string mapper = first_line(folder + "/dm/name");
  if (!mapper.empty()) {
    facts.mapper = roots.devices + "/mapper/" + mapper;
  }
  facts.uuid = first_line(folder + "/dm/uuid");
  facts.is_loop = is_loop_name(name);
  if (facts.is_loop) {
    std::error_code ignored;
    facts.attached = fs::exists(folder + "/loop/backing_file", ignored);
    facts.backing = file_under(folder + "/loop");
  }
  return facts;
}

std::vector<std::string> images_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failed;
  const fs::path real = fs::canonical(folder, failed);
  if (failed) {
    return found;
  }
  fs::directory_iterator entry(real, failed);
  while (!failed && entry != fs::directory_iterator()) {
    if (is_image(entry->path())) {
      found.push_back(entry->path());
    }
    entry.increment(failed);
  }
  std::sort(found.begin(), found.end());
  return found;
}

result<std::vector<std::string>> targets_on(const settings& options) {
  const auto book = disk_book::open(options.kept_disks_path());
  const auto kept =
      book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!kept) {
    return kept.error();
  }
  std::vector<std::string> targets;
  for (const kept_disk& disk : *kept) {
    if (!disk.shadow) {
      targets.push_back(disk.partial);
      continue;
    }
    // A shadow under its old name is being filled, or was when its teleport
    // was killed; one under the name that sets it aside is at rest, unless a
    // session is at work.
    const disk_place& place = *disk.shadow;
    const bool at_work = is_guest_locked(options.run_path, disk.uuid);
    if (at_work || place.backing != place.aside) {
      targets.push_back(place.backing);
    }
    if (at_work) {
      targets.push_back(place.aside);
    }
  }
  return targets;
}

void resolve(donor_view& view, const host_roots& roots) {
  resolver look(view, roots);
  look.learn_loops();
  for (const running_disk& disk :
       view.guests.value_or(std::vector<running_disk>())) {
    look.learn(device_number{disk.major, disk.minor});
    look.learn(disk.path);
  }
  for (const index::disk_record& disk : view.indexed) {
    look.learn(disk.path);
    if (view.paths[disk.path].what == path_facts::kind::absent) {
      for (const std::string& name : other_names(disk.path)) {
        look.learn(name);
      }
    }
  }
  for (const auto& paths :
       {view.images,
        view.lost,
        view.targets.value_or(std::vector<std::string>())}) {
    for (const std::string& path : paths) {
      look.learn(path);
    }
  }
}

}  // namespace teleport
