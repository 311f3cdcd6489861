// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/block_device.hpp: where blocks come from and go to.
//
// The one seam between decisions and disks: tests put memory or a failing
// device behind it.
//
// Blocks: every call may wait for the disk; call on a pool thread.
// Threads: read_at and write_at may run at once on distinct ranges.

#ifndef LIBTELEPORT_DISK_BLOCK_DEVICE_HPP
#define LIBTELEPORT_DISK_BLOCK_DEVICE_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

class block_device {
 public:
  block_device() = default;
  block_device(const block_device&) = delete;
  block_device& operator=(const block_device&) = delete;
  block_device(block_device&&) = delete;
  block_device& operator=(block_device&&) = delete;
  virtual ~block_device() = default;

  /// Bytes of the device when it was opened; a multiple of 512.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;

  /// Fills `out` from `offset`.
  ///
  /// @param offset  a multiple of 4096
  /// @param out     any length inside the device; fastest when aligned to 4096
  ///                in memory and length
  virtual result<void> read_at(std::uint64_t offset,
                               std::span<std::byte> out) = 0;

  /// Writes all of `bytes` at `offset`. Not durable before flush().
  ///
  /// @param offset  a multiple of 4096
  virtual result<void> write_at(std::uint64_t offset, byte_span bytes) = 0;

  /// Makes the range read as zeros, giving space back where the store is thin.
  ///
  /// @param offset  a multiple of 4096
  /// @param length  bytes; the range lies inside the device
  virtual result<void> zero_at(std::uint64_t offset, std::uint64_t length) = 0;

  /// Returns when everything written is on stable storage.
  virtual result<void> flush() = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_BLOCK_DEVICE_HPP
