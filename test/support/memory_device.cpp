// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/memory_device.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libteleport/base/units.hpp"

namespace teleport {

result<void> memory_device::check(std::uint64_t offset,
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

result<void> memory_device::read_at(std::uint64_t offset,
                                    std::span<std::byte> out) {
  const auto inside = check(offset, out.size());
  if (inside) {
    std::ranges::copy(byte_span(content_).subspan(offset, out.size()),
                      out.begin());
  }
  return inside;
}

result<void> memory_device::write_at(std::uint64_t offset, byte_span bytes) {
  const auto inside = check(offset, bytes.size());
  if (inside) {
    ++changes_;
    std::ranges::copy(bytes, std::span(content_).subspan(offset).begin());
  }
  return inside;
}

result<void> memory_device::zero_at(std::uint64_t offset,
                                    std::uint64_t length) {
  const auto inside = check(offset, length);
  if (inside) {
    ++changes_;
    std::ranges::fill(std::span(content_).subspan(offset, length),
                      std::byte{0});
  }
  return inside;
}

result<void> memory_device::flush() {
  return {};
}

}  // namespace teleport
