// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/whole/xen/records.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/digest.hpp"

namespace teleport::whole {

namespace {

constexpr std::size_t block = 4096;
constexpr std::uint64_t magic = 0x4452434552656c6f;
/// Spreads the records over the disk; made to share no factor with its blocks.
constexpr std::uint64_t first_stride = 769;

std::uint64_t mix(std::uint64_t& state) {  // splitmix64
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

void fill(std::span<std::byte> into, std::uint64_t number) {
  std::array<std::uint64_t, block / 8> words{};
  words[0] = magic;
  words[1] = number;
  std::uint64_t state = number;
  for (std::size_t i = 2; i < words.size(); ++i) {
    words.at(i) = mix(state);
  }
  std::memcpy(into.data(), words.data(), block);
}

std::vector<std::byte> read_all(int fd, std::uint64_t bytes) {
  aligned_buffer memory(bytes);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t r = ::pread(fd,
                              memory.span().data() + done,
                              bytes - done,
                              static_cast<off_t>(done));
    if (r <= 0) {
      throw std::system_error(errno, std::generic_category(), "read a disk");
    }
    done += static_cast<std::size_t>(r);
  }
  return {memory.span().begin(), memory.span().end()};
}

}  // namespace

record_disks::record_disks(const domain& one) {
  for (const world_disk& disk : one.disks) {
    if (disk.read_only) {
      continue;
    }
    opened_disk opened;
    opened.vdev = disk.vdev;
    opened.fd =
        unique_fd(::open(disk.device.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    if (!opened.fd) {
      throw std::system_error(errno, std::generic_category(), disk.device);
    }
    opened.blocks = disk.size / block;
    opened.stride = first_stride;
    while (std::gcd(opened.stride, opened.blocks - 1) != 1) {
      ++opened.stride;
    }
    disks_.push_back(std::move(opened));
  }
  if (disks_.empty()) {
    throw std::runtime_error("the guest has no disk to write to");
  }
}

std::uint64_t record_disks::place_of(const opened_disk& disk,
                                     std::uint64_t turn) {
  return 1 + turn * disk.stride % (disk.blocks - 1);
}

void record_disks::write(std::uint64_t number) {
  const opened_disk& disk = disks_[number % disks_.size()];
  aligned_buffer memory(block);
  fill(memory.span(), number);
  const auto at =
      static_cast<off_t>(place_of(disk, number / disks_.size()) * block);
  if (::pwrite(disk.fd.get(), memory.span().data(), block, at) !=
      static_cast<ssize_t>(block)) {
    throw std::system_error(errno, std::generic_category(), disk.vdev);
  }
}

std::vector<std::byte> record_disks::content(const opened_disk& disk) const {
  return read_all(disk.fd.get(), disk.blocks * block);
}

std::uint64_t record_disks::highest() const {
  std::uint64_t highest = 0;
  for (const opened_disk& disk : disks_) {
    const auto bytes = content(disk);
    for (std::size_t at = 0; at + block <= bytes.size(); at += block) {
      std::array<std::uint64_t, 2> head{};
      std::memcpy(head.data(), bytes.data() + at, sizeof(head));
      if (head[0] == magic) {
        highest = std::max(highest, head[1]);
      }
    }
  }
  return highest;
}

std::string record_disks::check(std::uint64_t last) const {
  std::array<std::byte, block> wanted{};
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    const opened_disk& disk = disks_[i];
    const auto bytes = content(disk);
    std::uint64_t left = disk.blocks - 1;  // older ones were written over
    for (std::uint64_t number = last; number > 0 && left > 0; --number) {
      if (number % disks_.size() != i) {
        continue;
      }
      --left;
      const std::uint64_t place = place_of(disk, number / disks_.size());
      fill(wanted, number);
      if (!std::equal(
              wanted.begin(),
              wanted.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(place * block))) {
        return "lost write: record " + std::to_string(number) + " of " +
               std::to_string(last) + " is not in block " +
               std::to_string(place) + " of " + disk.vdev;
      }
    }
  }
  return {};
}

std::string digest_of_device(const std::string& device) {
  const unique_fd fd(::open(device.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  const off_t size = fd ? ::lseek(fd.get(), 0, SEEK_END) : -1;
  if (size < 0) {
    throw std::system_error(errno, std::generic_category(), device);
  }
  return to_hex(
      digest_extent(read_all(fd.get(), static_cast<std::uint64_t>(size))));
}

void tell_witness(const std::string& file, const std::string& line) {
  const std::string path = std::string(witness_folder) + "/" + file;
  const unique_fd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string text = line + "\n";
  if (!fd || ::write(fd.get(), text.data(), text.size()) !=
                 static_cast<ssize_t>(text.size())) {
    throw std::system_error(errno, std::generic_category(), path);
  }
}

}  // namespace teleport::whole
