// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/resize.hpp"

#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/process.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/logical_volume.hpp"
#include "libteleport/disk/loop_device.hpp"
#include "libteleport/disk/store.hpp"

namespace teleport {

namespace {

constexpr std::chrono::minutes lvm_patience(2);

result<void> resize_file(const std::string& path, std::uint64_t size) {
  const unique_fd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return system_error(errno, path);
  }
  if (!S_ISREG(about.st_mode)) {
    return error(errc::refused, path + " is not a regular file");
  }
  if (static_cast<std::uint64_t>(about.st_size) == size) {
    return {};
  }
  // A loop device does not see it when its file changes.
  const auto loop = find_loop(path);
  if (!loop) {
    return loop.error();
  }
  if (*loop) {
    if (auto detached = detach_loop(**loop); !detached) {
      return detached;
    }
  }
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
      ::fsync(file.get()) != 0) {
    return system_error(errno, "resize " + path);
  }
  return {};
}

result<void> resize_volume(const volume_name& volume, std::uint64_t size) {
  const auto columns =
      ask_lvm("lvs", "lv_size,vg_extent_size", volume.argument());
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
                             volume.path(),
                             size,
                             *extent));
  }
  program_options options;
  options.timeout = lvm_patience;
  // --force: yes, smaller as well; --fs ignore is its default here.
  const auto done = run_program({"lvresize",
                                 "--yes",
                                 "--force",
                                 "--size",
                                 std::to_string(size) + "b",
                                 volume.argument()},
                                options);
  if (!done) {
    error cause = done.error();
    if (cause.context.find("nsufficient") != std::string::npos) {
      cause.code = errc::no_space;
    }
    return cause;
  }
  return {};
}

}  // namespace

result<void> resize_disk(const std::string& path, std::uint64_t size) {
  if (auto checked = check_disk_size(size); !checked) {
    return checked;
  }
  const auto volume = parse_volume_path(path);
  return volume ? resize_volume(*volume, size) : resize_file(path, size);
}

}  // namespace teleport
