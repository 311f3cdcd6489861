// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/faulty_device.hpp: a disk that fails at a chosen call.

#ifndef TELEPORT_TEST_SUPPORT_FAULTY_DEVICE_HPP
#define TELEPORT_TEST_SUPPORT_FAULTY_DEVICE_HPP

#include <cstdint>
#include <span>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"

namespace teleport {

class faulty_device : public block_device {
 public:
  /// @param below     the disk itself; must outlive this
  /// @param fails_at  the call that ends in EIO, counted from 0 over reads,
  ///                  writes, zeroings and flushes. A write that fails has
  ///                  left half of its bytes, as a torn one does.
  faulty_device(block_device& below, unsigned fails_at)
      : below_(below), fails_at_(fails_at) {}

  [[nodiscard]] std::uint64_t size() const noexcept override {
    return below_.size();
  }
  result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  result<void> write_at(std::uint64_t offset, byte_span bytes) override;
  result<void> zero_at(std::uint64_t offset, std::uint64_t length) override;
  result<void> flush() override;

  /// The call at fails_at has been made.
  [[nodiscard]] bool has_failed() const noexcept { return calls_ > fails_at_; }

 private:
  [[nodiscard]] bool fails_now() noexcept { return calls_++ == fails_at_; }

  block_device& below_;
  unsigned fails_at_;
  unsigned calls_ = 0;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_FAULTY_DEVICE_HPP
