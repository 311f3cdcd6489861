// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_facts.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_sysfs.hpp"

namespace teleport {

namespace {

/// Columns of /sys/block/X/stat (Documentation/block/stat.rst), from 0.
constexpr std::size_t stat_sectors_written = 6;
constexpr std::size_t stat_sectors_discarded = 13;

result<std::string> read_attribute(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return system_error(errno, "open " + path);
  }
  std::array<char, 1024> text{};
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) {
    return system_error(errno, "read " + path);
  }
  return std::string(text.data(), static_cast<std::size_t>(got));
}

/// The numbers in a text of numbers, blanks and colons.
std::vector<std::uint64_t> numbers_in(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t value = 0;
    const auto [after, failed] = std::from_chars(at, end, value);
    if (failed == std::errc()) {
      numbers.push_back(value);
      at = after;
    } else {
      ++at;
    }
  }
  return numbers;
}

result<std::vector<std::uint64_t>> read_numbers(const std::string& path,
                                                std::size_t at_least) {
  auto text = read_attribute(path);
  if (!text) {
    return text.error();
  }
  auto numbers = numbers_in(*text);
  if (numbers.size() < at_least) {
    return error(errc::unsupported,
                 path + ": fewer than " + std::to_string(at_least) +
                     " numbers: the kernel is too old");
  }
  return numbers;
}

result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(
      ::realpath(path.c_str(), nullptr), &std::free);
  if (!found) {
    return system_error(errno, path);
  }
  return std::string(found.get());
}

/// A disk without counters always seems at rest. Devices without request queues
/// count by themselves: kernels before 6.11 say 0 for them and count all the
/// same; where they do not, the audit finds it out.
result<void> check_counting(const disk_facts& disk) {
  if (::access((disk.folder + "/mq").c_str(), F_OK) != 0) {
    return {};
  }
  const std::string path = disk.folder + "/queue/iostats";
  const auto on = read_numbers(path, 1);
  if (on && on->front() == 0) {
    return error(errc::unsupported,
                 "the kernel does not count the I/O of " + disk.device +
                     ": write 1 to " + path);
  }
  return {};
}

}  // namespace

result<disk_facts> find_disk(const std::string& device) {
  struct stat about {};
  if (::stat(device.c_str(), &about) != 0) {
    return system_error(errno, device);
  }
  if (!S_ISBLK(about.st_mode)) {
    return error(errc::bad_input, device + " is not a block device");
  }
  disk_facts disk;
  disk.device = device;
  disk.major = major(about.st_rdev);
  disk.minor = minor(about.st_rdev);
  auto folder = real_path(block_folder(numbers_of(about.st_rdev)));
  if (!folder) {
    return folder.error();
  }
  const auto sectors = read_numbers(*folder + "/size", 1);
  if (!sectors) {
    return sectors.error();
  }
  disk.sectors = sectors->front();
  disk.folder = *folder;
  if (::access((*folder + "/partition").c_str(), F_OK) == 0) {
    const auto start = read_numbers(*folder + "/start", 1);
    if (!start) {
      return start.error();
    }
    disk.start = start->front();
    disk.folder = folder->substr(0, folder->rfind('/'));
  }
  const auto number = read_numbers(disk.folder + "/dev", 2);
  if (!number) {
    return number.error();
  }
  disk.disk_major = static_cast<unsigned>(number->at(0));
  disk.disk_minor = static_cast<unsigned>(number->at(1));
  if (const auto sequence = read_numbers(disk.folder + "/diskseq", 1)) {
    disk.sequence = sequence->front();
  }
  disk.is_device_mapper = ::access((disk.folder + "/dm").c_str(), F_OK) == 0;
  if (auto counted = check_counting(disk); !counted) {
    return counted.error();
  }
  return disk;
}

result<void> check_same_disk(const disk_facts& disk) {
  const auto now = find_disk(disk.device);
  if (!now) {
    return now.error();
  }
  if (now->major != disk.major || now->minor != disk.minor ||
      now->sequence != disk.sequence || now->start != disk.start ||
      now->sectors != disk.sectors) {
    return error(errc::mismatch,
                 disk.device +
                     " is not the device it was: it was made anew, "
                     "resized or partitioned");
  }
  return {};
}

result<std::size_t> mark_grain(const disk_facts& disk) {
  constexpr std::uint64_t fine_limit = 256_GiB;
  const std::uint64_t size = disk.sectors * sector_bytes;
  if (size == 0 || size > max_disk_bytes) {
    return error(errc::bad_input,
                 disk.device + ": size " + std::to_string(size) +
                     " is not from 512 to " + std::to_string(max_disk_bytes));
  }
  return size <= fine_limit ? block_bytes : 64_KiB;
}

result<std::uint64_t> writes_in_flight(const disk_facts& disk) {
  const auto counts = read_numbers(disk.folder + "/inflight", 2);
  if (!counts) {
    return counts.error();
  }
  return counts->at(1);
}

result<std::uint64_t> sectors_written(const disk_facts& disk) {
  if (auto counted = check_counting(disk); !counted) {
    return counted.error();
  }
  const auto counts =
      read_numbers(disk.folder + "/stat", stat_sectors_discarded + 1);
  if (!counts) {
    return counts.error();
  }
  return counts->at(stat_sectors_written) + counts->at(stat_sectors_discarded);
}

}  // namespace teleport
