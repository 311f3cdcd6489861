// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/faulty_device.hpp"

#include <algorithm>
#include <cerrno>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

error broken(std::string_view what) {
  return system_error(EIO, what);
}

}  // namespace

result<void> faulty_device::read_at(std::uint64_t offset,
                                    std::span<std::byte> out) {
  if (fails_now()) {
    std::ranges::fill(out, std::byte{0xee});
    return broken("read");
  }
  return below_.read_at(offset, out);
}

result<void> faulty_device::write_at(std::uint64_t offset, byte_span bytes) {
  if (fails_now()) {
    const auto torn = below_.write_at(offset, bytes.first(bytes.size() / 2));
    return torn ? broken("write") : torn;
  }
  return below_.write_at(offset, bytes);
}

result<void> faulty_device::zero_at(std::uint64_t offset,
                                    std::uint64_t length) {
  if (fails_now()) {
    const auto torn = below_.zero_at(offset, length / 2);
    return torn ? broken("zero") : torn;
  }
  return below_.zero_at(offset, length);
}

result<void> faulty_device::flush() {
  return fails_now() ? broken("flush") : below_.flush();
}

}  // namespace teleport
