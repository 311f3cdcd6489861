// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/memory_device.hpp: a disk in memory. Refuses what a real one
// would refuse (offsets off a block, ranges past the end), and counts changes.

#ifndef TELEPORT_TEST_SUPPORT_MEMORY_DEVICE_HPP
#define TELEPORT_TEST_SUPPORT_MEMORY_DEVICE_HPP

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_device.hpp"

namespace teleport {

class memory_device : public block_device {
 public:
  explicit memory_device(byte_buffer content) : content_(std::move(content)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override {
    return content_.size();
  }
  result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  result<void> write_at(std::uint64_t offset, byte_span bytes) override;
  result<void> zero_at(std::uint64_t offset, std::uint64_t length) override;
  result<void> flush() override;

  /// The disk itself; tests write to it as the guest does.
  [[nodiscard]] byte_buffer& content() noexcept { return content_; }
  [[nodiscard]] const byte_buffer& content() const noexcept { return content_; }
  /// Calls that changed the disk.
  [[nodiscard]] unsigned changes() const noexcept { return changes_; }

 private:
  [[nodiscard]] result<void> check(std::uint64_t offset,
                                   std::uint64_t length) const;

  byte_buffer content_;
  unsigned changes_ = 0;
};

inline result<void> memory_device::check(std::uint64_t offset,
                                         std::uint64_t length) const {
  if (offset % block_bytes != 0 || offset > content_.size() ||
      length > content_.size() - offset) {
    return error(
        errc::bad_input,
        fmt::format(
            "{} bytes at {} of a disk of {}", length, offset, content_.size()));
  }
  return {};
}

inline result<void> memory_device::read_at(std::uint64_t offset,
                                           std::span<std::byte> out) {
  auto inside = check(offset, out.size());
  if (inside) {
    std::ranges::copy(byte_span(content_).subspan(offset, out.size()),
                      out.begin());
  }
  return inside;
}

inline result<void> memory_device::write_at(std::uint64_t offset,
                                            byte_span bytes) {
  auto inside = check(offset, bytes.size());
  if (inside) {
    ++changes_;
    std::ranges::copy(bytes, std::span(content_).subspan(offset).begin());
  }
  return inside;
}

inline result<void> memory_device::zero_at(std::uint64_t offset,
                                           std::uint64_t length) {
  auto inside = check(offset, length);
  if (inside) {
    ++changes_;
    std::ranges::fill(std::span(content_).subspan(offset, length),
                      std::byte{0});
  }
  return inside;
}

inline result<void> memory_device::flush() {
  return {};
}

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_MEMORY_DEVICE_HPP
