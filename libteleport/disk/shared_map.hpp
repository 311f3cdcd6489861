// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/shared_map.hpp: a map of the kernel's BPF programs, or a
// file, in our memory, both ways.
//
// Threads: one owner; the memory itself is shared with the kernel, or with
//          other processes.
// Blocks: no.

#ifndef LIBTELEPORT_DISK_SHARED_MAP_HPP
#define LIBTELEPORT_DISK_SHARED_MAP_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class shared_map {
 public:
  shared_map() = default;
  shared_map(shared_map&& other) noexcept { *this = std::move(other); }
  shared_map& operator=(shared_map&& other) noexcept;
  shared_map(const shared_map&) = delete;
  shared_map& operator=(const shared_map&) = delete;
  ~shared_map();

  /// @param map  its descriptor; `bytes` of it are shared
  [[nodiscard]] static result<shared_map> open(unique_fd map,
                                               std::size_t bytes);
  [[nodiscard]] int fd() const noexcept { return map_.get(); }
  [[nodiscard]] void* memory() const noexcept { return memory_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint64_t> words() const noexcept {
    return {static_cast<std::uint64_t*>(memory_),
            bytes_ / sizeof(std::uint64_t)};
  }

 private:
  unique_fd map_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_SHARED_MAP_HPP
