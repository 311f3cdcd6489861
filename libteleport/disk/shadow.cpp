// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/shadow.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/logical_volume.hpp"
#include "libteleport/disk/loop_device.hpp"

namespace teleport {

namespace {

result<bool> exists(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0) {
    return true;
  }
  return errno == ENOENT ? result<bool>(false) : system_error(errno, path);
}

/// Renames a file in its folder, for good, and never over another.
result<void> rename_file(const std::string& from, const std::string& to) {
  int r = ::renameat2(
      AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (r != 0 && errno == EINVAL) {
    // A filesystem that cannot refuse: a hard link can.
    r = ::link(from.c_str(), to.c_str());
    if (r == 0) {
      r = ::unlink(from.c_str());
    }
  }
  if (r != 0) {
    return errno == EEXIST
               ? error(errc::busy, to + " exists already")
               : system_error(errno, "rename " + from + " to " + to);
  }
  const std::string folder = to.substr(0, to.rfind('/') + 1);
  const unique_fd opened(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) {
    return system_error(errno, "flush " + folder);
  }
  return {};
}

/// The loop device over a file is detached, if there is one.
result<void> release_file(const std::string& file) {
  const auto loop = find_loop(file);
  if (!loop) {
    return loop.error();
  }
  return *loop ? detach_loop(**loop) : result<void>();
}

result<volume_name> volume_in(const std::string& path) {
  const auto name = parse_volume_path(path);
  if (!name) {
    return error(errc::bad_input, path + " is not the path of a volume");
  }
  return *name;
}

/// Moves a disk between its two names. Done before counts as done.
result<void> move_disk(shadow_kind kind,
                       const std::string& from,
                       const std::string& to) {
  if (kind == shadow_kind::logical_volume) {
    const auto old_name = volume_in(from);
    const auto new_name = volume_in(to);
    if (!old_name || !new_name) {
      return old_name ? new_name.error() : old_name.error();
    }
    const auto from_there = volume_exists(*old_name);
    const auto to_there = volume_exists(*new_name);
    if (!from_there || !to_there) {
      return from_there ? to_there.error() : from_there.error();
    }
    if (*from_there && *to_there) {
      return error(errc::busy, to + " exists already");
    }
    return *to_there ? result<void>()
                     : rename_volume(*old_name, new_name->volume);
  }
  const auto from_there = exists(from);
  const auto to_there = exists(to);
  if (!from_there || !to_there) {
    return from_there ? to_there.error() : from_there.error();
  }
  if (*to_there) {
    return *from_there ? error(errc::busy, to + " exists already")
                       : result<void>();
  }
  if (auto released = release_file(from); !released) {
    return released;
  }
  return rename_file(from, to);
}

/// A regular file's real path; empty for anything else.
result<std::string> real_file(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  if (!S_ISREG(about.st_mode)) {
    return std::string();
  }
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  if (!real) {
    return system_error(errno, path);
  }
  return std::string(real.get());
}

/// The loop device over a file: the one there is, or a new one.
result<std::string> loop_over(const std::string& file,
                              const std::string& preferred) {
  auto found = find_loop(file);
  if (!found) {
    return found.error();
  }
  return *found ? result<std::string>(std::move(**found))
                : attach_loop(file, preferred);
}

}  // namespace

result<shadow_place> plan_shadow(const std::string& device) {
  shadow_place place;
  place.device = device;
  place.backing = device;
  place.aside = device;
  auto file = real_file(device);
  if (!file) {
    return file.error();
  }
  if (file->empty()) {
    auto under = file_of_loop(device);
    if (!under) {
      return under.error();
    }
    if (*under) {
      *file = std::move(**under);
    }
  }
  if (!file->empty()) {
    place.kind = shadow_kind::loop_file;
    place.backing = *file;
    place.aside = *file + std::string(shadow_suffix);
    const auto taken = exists(place.aside);
    if (!taken) {
      return taken.error();
    }
    return *taken ? result<shadow_place>(
                        error(errc::busy, place.aside + " exists already"))
                  : place;
  }
  const auto volume = volume_of_device(device);
  if (!volume) {
    return volume.error();
  }
  if (!*volume) {
    return place;
  }
  const volume_name aside{(*volume)->group,
                          (*volume)->volume + std::string(shadow_suffix)};
  place.kind = shadow_kind::logical_volume;
  place.backing = (*volume)->path();
  place.aside = aside.path();
  const auto taken = volume_exists(aside);
  if (!taken) {
    return taken.error();
  }
  return *taken ? result<shadow_place>(
                      error(errc::busy, place.aside + " exists already"))
                : place;
}

result<void> set_aside(const shadow_place& place) {
  return place.kind == shadow_kind::other_device
             ? result<void>()
             : move_disk(place.kind, place.backing, place.aside);
}

result<shadow_place> set_aside(const std::string& device) {
  auto place = plan_shadow(device);
  if (!place) {
    return place;
  }
  const auto done = set_aside(*place);
  return done ? place : result<shadow_place>(done.error());
}

result<std::string> bring_back(const shadow_place& place) {
  if (place.kind == shadow_kind::other_device) {
    return place.device;
  }
  if (auto moved = move_disk(place.kind, place.aside, place.backing); !moved) {
    return moved.error();
  }
  if (place.kind == shadow_kind::loop_file) {
    return loop_over(place.backing, place.device);
  }
  const auto volume = volume_in(place.backing);
  if (!volume) {
    return volume.error();
  }
  const auto active = activate_volume(*volume);
  return active ? result<std::string>(place.backing)
                : result<std::string>(active.error());
}

result<std::string> open_aside(const shadow_place& place) {
  if (place.kind == shadow_kind::other_device) {
    return place.device;
  }
  if (place.kind == shadow_kind::loop_file) {
    return loop_over(place.aside, place.device);
  }
  const auto volume = volume_in(place.aside);
  if (!volume) {
    return volume.error();
  }
  const auto columns = ask_lvm("lvs", "pool_lv", volume->argument());
  if (!columns) {
    return columns.error();
  }
  if (const std::string& pool = columns->at(0); !pool.empty()) {
    const auto zeroes = check_pool_zeroes(volume->group + "/" + pool);
    if (!zeroes) {
      return zeroes.error();
    }
  }
  const auto active = activate_volume(*volume);
  return active ? result<std::string>(place.aside)
                : result<std::string>(active.error());
}

result<void> close_aside(const shadow_place& place) {
  return place.kind == shadow_kind::loop_file ? release_file(place.aside)
                                              : result<void>();
}

std::vector<std::string> other_names(const std::string& path) {
  // The device mapper's names have each hyphen of LVM's twice.
  std::string suffix(shadow_suffix);
  if (path.starts_with("/dev/mapper/")) {
    suffix.insert(suffix.find('-'), "-");
  }
  std::vector<std::string> names = {path + suffix};
  if (path.ends_with(suffix)) {
    names.push_back(path.substr(0, path.size() - suffix.size()));
  }
  return names;
}

}  // namespace teleport
