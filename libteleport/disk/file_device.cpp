// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/file_device.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/device_mapper.hpp"

namespace teleport {

namespace {

/// Bytes moved at once through a bounce buffer.
constexpr std::size_t piece_bytes = 1_MiB;

/// All of `out` from `offset`; `fd` may be O_DIRECT if the caller aligned all.
result<void> read_all(int fd,
                      std::uint64_t offset,
                      std::span<std::byte> out,
                      const std::string& path) {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got > 0) {
      offset += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      return error(errc::system,
                   "read " + path + " at " + std::to_string(offset) +
                       ": end of file: the file has shrunk");
    } else if (errno != EINTR) {
      return system_error(errno,
                          "read " + path + " at " + std::to_string(offset));
    }
  }
  return {};
}

result<void> write_all(int fd,
                       std::uint64_t offset,
                       byte_span bytes,
                       const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put > 0) {
      offset += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    } else if (put == 0 || errno != EINTR) {
      return system_error(put == 0 ? ENOSPC : errno,
                          "write " + path + " at " + std::to_string(offset));
    }
  }
  return {};
}

/// What open_device() found out.
struct opened {
  unique_fd direct;    // O_DIRECT, but for files where that is refused
  unique_fd buffered;  // for a file's unaligned ends; unset for devices
  std::uint64_t size = 0;
  std::size_t unit = block_bytes;  // direct I/O is done in these
  bool is_thin = false;
};

class file_device final : public block_device {
 public:
  file_device(std::string path, opened parts)
      : path_(std::move(path)), parts_(std::move(parts)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override {
    return parts_.size;
  }
  result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  result<void> write_at(std::uint64_t offset, byte_span bytes) override;
  result<void> zero_at(std::uint64_t offset, std::uint64_t length) override;
  result<void> flush() override;

 private:
  [[nodiscard]] bool is_file() const noexcept {
    return static_cast<bool>(parts_.buffered);
  }
  [[nodiscard]] bool aligned(const void* memory) const noexcept {
    return reinterpret_cast<std::uintptr_t>(memory) % parts_.unit == 0;
  }
  /// Checks what the caller promised: a broken promise must not reach a disk.
  [[nodiscard]] result<void> check(std::uint64_t offset,
                                   std::uint64_t length) const;
  result<void> read_end(std::uint64_t offset, std::span<std::byte> out);
  result<void> write_end(std::uint64_t offset, byte_span bytes);
  /// Frees the range if the device can, so that it reads as zeros.
  bool punch(std::uint64_t offset, std::uint64_t length);
  /// Writes zeros where there are none yet: a thin target stays thin.
  result<void> overwrite_with_zeros(std::uint64_t offset, std::uint64_t length);

  std::string path_;
  opened parts_;
};

result<void> file_device::check(std::uint64_t offset,
                                std::uint64_t length) const {
  if (offset % block_bytes != 0 || offset > parts_.size ||
      length > parts_.size - offset) {
    return error(errc::bad_input,
                 path_ + ": range " + std::to_string(offset) + "+" +
                     std::to_string(length) + " on a device of " +
                     std::to_string(parts_.size) + " bytes");
  }
  return {};
}

result<void> file_device::read_at(std::uint64_t offset,
                                  std::span<std::byte> out) {
  if (auto checked = check(offset, out.size()); !checked) {
    return checked;
  }
  const std::size_t end = out.size() % parts_.unit;
  const std::size_t body = out.size() - end;
  if (body > 0 && aligned(out.data())) {
    if (auto r = read_all(parts_.direct.get(), offset, out.first(body), path_);
        !r) {
      return r;
    }
  } else if (body > 0) {
    aligned_buffer bounce(std::min(body, piece_bytes));
    for (std::size_t done = 0; done < body; done += bounce.size()) {
      const auto piece =
          bounce.span().first(std::min(bounce.size(), body - done));
      if (auto r = read_all(parts_.direct.get(), offset + done, piece, path_);
          !r) {
        return r;
      }
      std::memcpy(out.data() + done, piece.data(), piece.size());
    }
  }
  return end == 0 ? result<void>() : read_end(offset + body, out.last(end));
}

result<void> file_device::read_end(std::uint64_t offset,
                                   std::span<std::byte> out) {
  if (is_file()) {
    return read_all(parts_.buffered.get(), offset, out, path_);
  }
  aligned_buffer unit(parts_.unit);
  auto r = read_all(parts_.direct.get(), offset, unit.span(), path_);
  if (r) {
    std::memcpy(out.data(), unit.span().data(), out.size());
  }
  return r;
}

result<void> file_device::write_at(std::uint64_t offset, byte_span bytes) {
  if (auto checked = check(offset, bytes.size()); !checked) {
    return checked;
  }
  const std::size_t end = bytes.size() % parts_.unit;
  const std::size_t body = bytes.size() - end;
  if (body > 0 && aligned(bytes.data())) {
    if (auto r =
            write_all(parts_.direct.get(), offset, bytes.first(body), path_);
        !r) {
      return r;
    }
  } else if (body > 0) {
    aligned_buffer bounce(std::min(body, piece_bytes));
    for (std::size_t done = 0; done < body; done += bounce.size()) {
      const auto piece =
          bounce.span().first(std::min(bounce.size(), body - done));
      std::memcpy(piece.data(), bytes.data() + done, piece.size());
      if (auto r = write_all(parts_.direct.get(), offset + done, piece, path_);
          !r) {
        return r;
      }
    }
  }
  return end == 0 ? result<void>() : write_end(offset + body, bytes.last(end));
}

result<void> file_device::write_end(std::uint64_t offset, byte_span bytes) {
  if (is_file()) {
    return write_all(parts_.buffered.get(), offset, bytes, path_);
  }
  // A device's size is a multiple of its unit, so the unit lies inside.
  aligned_buffer unit(parts_.unit);
  if (auto r = read_all(parts_.direct.get(), offset, unit.span(), path_); !r) {
    return r;
  }
  std::memcpy(unit.span().data(), bytes.data(), bytes.size());
  return write_all(parts_.direct.get(), offset, unit.span(), path_);
}

bool file_device::punch(std::uint64_t offset, std::uint64_t length) {
  // On a block device this zeroes, unmapping where that reads back as zeros,
  // and fails rather than write zeros one by one.
  int r = 0;
  do {
    r = ::fallocate(parts_.direct.get(),
                    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(offset),
                    static_cast<off_t>(length));
  } while (r != 0 && errno == EINTR);
  if (r == 0) {
    return true;
  }
  if (parts_.is_thin) {
    // A thin volume drops the chunks that lie wholly inside; they read as
    // zeros from then on. The ends of the range are left to be written.
    std::array<std::uint64_t, 2> range = {offset, length};
    static_cast<void>(::ioctl(parts_.direct.get(), BLKDISCARD, range.data()));
  }
  return false;
}

result<void> file_device::overwrite_with_zeros(std::uint64_t offset,
                                               std::uint64_t length) {
  aligned_buffer bounce(
      static_cast<std::size_t>(std::min<std::uint64_t>(length, piece_bytes)));
  while (length > 0) {
    const auto piece = bounce.span().first(
        static_cast<std::size_t>(std::min<std::uint64_t>(length, piece_bytes)));
    if (auto r = read_at(offset, piece); !r) {
      return r;
    }
    if (!is_zero(piece)) {
      std::array<std::uint64_t, 2> range = {offset, piece.size()};
      if (is_file() || piece.size() % parts_.unit != 0 ||
          ::ioctl(parts_.direct.get(), BLKZEROOUT, range.data()) != 0) {
        std::fill(piece.begin(), piece.end(), std::byte{0});
        if (auto r = write_at(offset, piece); !r) {
          return r;
        }
      }
    }
    offset += piece.size();
    length -= piece.size();
  }
  return {};
}

result<void> file_device::zero_at(std::uint64_t offset, std::uint64_t length) {
  if (auto checked = check(offset, length); !checked) {
    return checked;
  }
  // A device frees whole units only; a file any range.
  const std::uint64_t end = is_file() ? 0 : length % block_bytes;
  const std::uint64_t body = length - end;
  const bool freed = body == 0 || punch(offset, body);
  const std::uint64_t done = freed ? body : 0;
  return overwrite_with_zeros(offset + done, length - done);
}

result<void> file_device::flush() {
  const int fd = parts_.direct.get();
  int r = 0;
  do {
    r = is_file() ? ::fsync(fd) : ::fdatasync(fd);
  } while (r != 0 && errno == EINTR);
  if (r != 0) {
    return system_error(errno, "flush " + path_);
  }
  return {};
}

result<void> measure_device(opened& parts, const std::string& path) {
  if (!parts.direct) {
    const int failure = errno;
    return failure == EINVAL
               ? error(errc::unsupported, path + " refuses direct I/O")
               : system_error(failure, "open " + path);
  }
  int sector = 0;
  if (::ioctl(parts.direct.get(), BLKGETSIZE64, &parts.size) != 0 ||
      ::ioctl(parts.direct.get(), BLKSSZGET, &sector) != 0) {
    return system_error(errno, "size of " + path);
  }
  if (sector <= 0 || static_cast<std::size_t>(sector) > block_bytes) {
    return error(errc::unsupported,
                 path + ": sectors of " + std::to_string(sector) +
                     " bytes, at most 4096 are supported");
  }
  parts.unit = static_cast<std::size_t>(sector);
  parts.is_thin = is_thin_volume(parts.direct.get());
  return {};
}

result<void> measure_file(opened& parts, const std::string& path, int access) {
  parts.buffered.reset(::open(path.c_str(), access));
  if (!parts.buffered) {
    return system_error(errno, "open " + path);
  }
  if (!parts.direct) {
    parts.direct.reset(::open(path.c_str(), access));
  }
  if (!parts.direct) {
    return system_error(errno, "open " + path);
  }
  struct statx about {};
  if (::statx(parts.direct.get(),
              "",
              AT_EMPTY_PATH,
              STATX_SIZE | STATX_DIOALIGN,
              &about) != 0) {
    return system_error(errno, "size of " + path);
  }
  parts.size = about.stx_size;
  if ((about.stx_mask & STATX_DIOALIGN) != 0 &&
      about.stx_dio_offset_align != 0) {
    parts.unit = std::max<std::size_t>(
        {sector_bytes, about.stx_dio_mem_align, about.stx_dio_offset_align});
  }
  if (parts.unit > block_bytes) {
    return error(errc::unsupported,
                 path + ": direct I/O in units of " +
                     std::to_string(parts.unit) +
                     " bytes, at most 4096 are supported");
  }
  return {};
}

}  // namespace

result<std::unique_ptr<block_device>> open_device(const std::string& path,
                                                  open_mode mode) {
  const int access =
      (mode == open_mode::read_write ? O_RDWR : O_RDONLY) | O_CLOEXEC;
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return system_error(errno, "open " + path);
  }
  if (!S_ISBLK(about.st_mode) && !S_ISREG(about.st_mode)) {
    return error(errc::bad_input,
                 path + " is neither a block device nor a regular file");
  }
  opened parts;
  parts.direct.reset(::open(path.c_str(), access | O_DIRECT));
  auto measured = S_ISBLK(about.st_mode) ? measure_device(parts, path)
                                         : measure_file(parts, path, access);
  if (!measured) {
    return measured.error();
  }
  if (parts.size == 0 || parts.size > max_disk_bytes ||
      parts.size % sector_bytes != 0) {
    return error(errc::bad_input,
                 path + " is no disk: it has " + std::to_string(parts.size) +
                     " bytes, and a disk has a multiple of 512, and 64 TiB at "
                     "most");
  }
  return std::unique_ptr<block_device>(
      std::make_unique<file_device>(path, std::move(parts)));
}

}  // namespace teleport
