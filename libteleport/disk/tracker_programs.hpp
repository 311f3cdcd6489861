// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/tracker_programs.hpp: the tracker's programs in the kernel:
// loaded, attached, and their maps within reach. The only user of libbpf.
//
// They end with this object, unless they were pinned: then they go on, and the
// next process adopts them.
//
// Threads: one owner. Blocks: shortly.

#ifndef LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP
#define LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/disk/disk_facts.hpp"
#include "libteleport/disk/shared_map.hpp"

namespace teleport {

/// An entry of the kernel's table; the same as in dirty_tracker.bpf.c.
struct pending_write {
  std::uint64_t sector;
  std::uint64_t bytes;
  std::int64_t bytes_left;
  std::uint64_t serial;
};

/// Whether a tracker is to end with its process, or to outlive it.
enum class tracker_life { of_process, standing };

/// Room in the kernel for what a standing tracker's owner remembers, in bytes.
inline constexpr std::size_t tracker_note_bytes = 512;

class tracker_programs {
 public:
  /// Why none will work here, as far as that can be known beforehand.
  ///
  /// @error errc::unsupported
  [[nodiscard]] static result<void> check_kernel();
  /// Loads and attaches for one disk.
  ///
  /// @param grain  bytes of a mark
  [[nodiscard]] static result<tracker_programs> attach(const disk_facts& disk,
                                                       std::size_t grain,
                                                       tracker_life life);
  /// Takes over what another process pinned.
  ///
  /// @error errc::not_found; errc::mismatch when another release pinned it
  [[nodiscard]] static result<tracker_programs> adopt(
      const std::string& folder);
  /// Pins all into a new folder of a BPF file system.
  [[nodiscard]] result<void> pin(const std::string& folder) const;

  /// The marks, shared with the kernel: use atomic operations only.
  [[nodiscard]] std::span<std::uint64_t> marks() const noexcept {
    return marks_.words();
  }
  /// As many, which only owners write.
  [[nodiscard]] std::span<std::uint64_t> taken() const noexcept {
    return taken_.words();
  }

  /// What an owner wrote last; zeros when nothing was.
  [[nodiscard]] result<byte_buffer> note() const;
  /// @pre note.size() <= tracker_note_bytes
  [[nodiscard]] result<void> write_note(byte_span note) const;

  /// All writes that are pending during the whole call, and some of those that
  /// come or go meanwhile.
  [[nodiscard]] result<std::vector<pending_write>> pending() const;

  /// Sectors of pending writes that a device which is suspended, and so lets
  /// no write through, has yet to begin. Not for adopted programs.
  [[nodiscard]] result<std::uint64_t> sectors_left() const;

  [[nodiscard]] tracker_counters counters() const;

  /// That all programs are attached, and that each write is counted or not.
  [[nodiscard]] result<void> check_sound() const;

 private:
  /// Shares the memory of the maps, given in the order of map_names.
  [[nodiscard]] result<void> share(std::array<unique_fd, 5> maps);

  // In the order of link_names (tracker_programs.cpp).
  std::array<unique_fd, 3> links_;
  std::array<unique_fd, 3> programs_;
  unique_fd count_left_;  ///< unset when adopted
  unique_fd pending_;
  unique_fd notes_;
  shared_map marks_;
  shared_map taken_;
  shared_map counted_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_TRACKER_PROGRAMS_HPP
