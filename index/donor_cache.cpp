// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/donor_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/file_device.hpp"

namespace teleport::index {

result<void> donor_cache::read(const std::string& path,
                               std::uint64_t offset,
                               std::span<std::byte> out) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const int cause = errno;
    // A shadow that is being filled stands under the guest's name again: what
    // it held before, and holds where it was not yet written, is wanted most.
    for (const std::string& name : other_names(path)) {
      if (cause == ENOENT && ::stat(name.c_str(), &info) == 0) {
        return read(name, offset, out);
      }
    }
    const std::lock_guard lock(mutex_);
    entries_.remove_if([&](const entry& e) { return e.path == path; });
    error failed = system_error(cause, path);
    failed.code = errc::not_found;
    return failed;
  }
  identity now;
  now.device = info.st_dev;
  now.inode = info.st_ino;
  now.special = S_ISBLK(info.st_mode) ? info.st_rdev : 0;
  const result<std::shared_ptr<block_device>> donor = device(path, now);
  if (!donor) {
    return donor.error();
  }
  std::uint64_t size = (*donor)->size();
  if (S_ISREG(info.st_mode)) {
    size = std::min(size, static_cast<std::uint64_t>(info.st_size));
  }
  if (offset % block_bytes != 0 || offset > size ||
      out.size() > size - offset) {
    return error(errc::not_found,
                 path + ": no " + std::to_string(out.size()) + " bytes at " +
                     std::to_string(offset) + " of " + std::to_string(size));
  }
  return (*donor)->read_at(offset, out);
}

result<std::shared_ptr<block_device>> donor_cache::device(
    const std::string& path, const identity& now) {
  {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) {
          return e.path == path;
        });
    if (at != entries_.end()) {
      if (at->what == now) {
        entries_.splice(entries_.begin(), entries_, at);
        return at->device;
      }
      entries_.erase(at);
    }
  }
  // Not under the lock: opening may wait for a disk.
  result<std::unique_ptr<block_device>> opened =
      open_device(path, open_mode::read_only);
  if (!opened) {
    error failed = opened.error();
    if (failed.code == errc::bad_input) {
      failed.code = errc::not_found;  // a file cut to nothing, a folder
    }
    return failed;
  }
  std::shared_ptr<block_device> device = std::move(*opened);
  const std::lock_guard lock(mutex_);
  entries_.push_front({path, now, device});
  while (entries_.size() > limit_) {
    entries_.pop_back();
  }
  return device;
}

}  // namespace teleport::index
