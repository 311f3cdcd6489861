// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/tracker_programs.hpp: the tracker's programs in the kernel:
// loaded, attached, and their maps within reach. The only user of libbpf.
//
// Threads: one owner. Blocks: shortly.

#ifndef LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP
#define LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/disk/disk_facts.hpp"

struct dirty_tracker_bpf;

namespace teleport {

/// An entry of the kernel's table; the same as in dirty_tracker.bpf.c.
struct pending_write {
  std::uint64_t sector;
  std::uint64_t bytes;
  std::int64_t bytes_left;
  std::uint64_t serial;
};

class tracker_programs {
 public:
  /// Loads and attaches for one disk.
  ///
  /// @param grain  bytes of a mark
  [[nodiscard]] static result<tracker_programs> attach(const disk_facts& disk,
                                                       std::size_t grain);

  /// The marks, shared with the kernel: use atomic operations only.
  [[nodiscard]] std::span<std::uint64_t> marks() const noexcept {
    return marks_;
  }

  /// All writes that are pending during the whole call, and some of those that
  /// come or go meanwhile.
  [[nodiscard]] result<std::vector<pending_write>> pending() const;

  /// Sectors of pending writes that a device which is suspended, and so lets
  /// no write through, has yet to begin.
  [[nodiscard]] result<std::uint64_t> sectors_left() const;

  [[nodiscard]] tracker_counters counters() const;

  /// That all programs are still loaded and attached.
  [[nodiscard]] result<void> check_attached() const;

 private:
  struct destroy {
    void operator()(dirty_tracker_bpf* skeleton) const noexcept;
  };
  struct unmap {
    std::size_t bytes;
    unmap() noexcept : unmap(0) {}
    explicit unmap(std::size_t length) noexcept : bytes(length) {}
    void operator()(std::uint64_t* memory) const noexcept;
  };
  std::unique_ptr<dirty_tracker_bpf, destroy> skeleton_;
  std::unique_ptr<std::uint64_t, unmap> memory_;
  std::span<std::uint64_t> marks_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP
