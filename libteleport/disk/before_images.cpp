// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/before_images.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// @return false with errno set; a file that ends too soon is an error, too
bool write_all(int fd, byte_span bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return true;
}

bool read_all(int fd, std::span<std::byte> out, std::uint64_t offset) {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace

result<std::unique_ptr<before_images>> before_images::create(
    const std::string& folder, std::uint64_t limit) {
  unique_fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  struct statvfs room {};
  if (!file || ::fstatvfs(file.get(), &room) != 0) {
    return system_error(errno,
                        fmt::format("a file without a name in {}", folder));
  }
  limit = std::min(limit, std::uint64_t{room.f_bavail} * room.f_frsize / 2);
  return std::unique_ptr<before_images>(
      new before_images(std::move(file), limit));
}

void before_images::keep(byte_span blocks) {
  std::vector<std::pair<block_digest, byte_span>> fresh;
  for (; blocks.size() >= block_bytes; blocks = blocks.subspan(block_bytes)) {
    const byte_span block = blocks.first(block_bytes);
    if (!is_zero(block)) {
      fresh.emplace_back(digest_block(block), block);
    }
  }
  std::uint64_t start = 0;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(
        fresh, [&](const auto& one) { return offset_of_.contains(one.first); });
    if (fresh.empty() || fresh.size() * block_bytes > limit_ - used_) {
      return;
    }
    start = used_;
    used_ += fresh.size() * block_bytes;
  }
  std::vector<std::byte> bytes;
  bytes.reserve(fresh.size() * block_bytes);
  for (const auto& [digest, block] : fresh) {
    bytes.insert(bytes.end(), block.begin(), block.end());
  }
  const bool written = write_all(file_.get(), bytes, start);
  const int cause = errno;
  const std::lock_guard lock(mutex_);
  if (!written) {
    if (limit_ != used_) {
      log_warning(system_error(cause,
                               "what the rebuild overwrites is no longer kept, "
                               "which may cost bytes on the link")
                      .context);
    }
    limit_ = used_;
    return;
  }
  for (const auto& [digest, block] : fresh) {
    offset_of_.emplace(digest, start);
    start += block_bytes;
  }
}

bool before_images::find(block_digest wanted, std::span<std::byte> out) const {
  std::uint64_t offset = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = offset_of_.find(wanted);
    if (found == offset_of_.end()) {
      return false;
    }
    offset = found->second;
  }
  return out.size() == block_bytes && read_all(file_.get(), out, offset);
}

std::uint64_t before_images::size() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace teleport
