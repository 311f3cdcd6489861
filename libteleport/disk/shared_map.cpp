// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/shared_map.hpp"

#include <cerrno>
#include <utility>

#include <sys/mman.h>

namespace teleport {

result<shared_map> shared_map::open(unique_fd map, std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (memory == MAP_FAILED) {
    return system_error(errno, "share a file's memory");
  }
  shared_map made;
  made.map_ = std::move(map);
  made.memory_ = memory;
  made.bytes_ = bytes;
  return made;
}

shared_map& shared_map::operator=(shared_map&& other) noexcept {
  std::swap(map_, other.map_);
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

shared_map::~shared_map() {
  if (memory_ != nullptr) {
    ::munmap(memory_, bytes_);
  }
}

}  // namespace teleport
