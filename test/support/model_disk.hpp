// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/model_disk.hpp: compares a block_device with plain memory under
// random reads, writes and zeroings, all drawn from one seed.

#ifndef TELEPORT_TEST_SUPPORT_MODEL_DISK_HPP
#define TELEPORT_TEST_SUPPORT_MODEL_DISK_HPP

#include <algorithm>
#include <random>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_device.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

/// @param device  its contents are overwritten; at most a few MiB
/// @param steps   how many calls are made
inline void compare_with_model(block_device& device, unsigned seed, int steps) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::uint64_t size = device.size();
  byte_buffer model(size);
  REQUIRE(device.zero_at(0, size));
  aligned_buffer memory(size + 4096);
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    const std::uint64_t offset = random() % count_of(size, 4096) * 4096;
    std::size_t length =
        random() % std::min<std::uint64_t>(size - offset + 1, 300'000);
    length = random() % 2 == 0 ? length / 512 * 512 : length;
    // Aligned, to a sector, or not at all.
    const std::size_t shift = random() % 3 == 0 ? 512 : random() % 4;
    const auto part = memory.span().subspan(shift, length);
    const auto same = std::span(model).subspan(offset, length);
    switch (random() % 3) {
      case 0:
        REQUIRE(device.read_at(offset, part));
        REQUIRE(std::equal(part.begin(), part.end(), same.begin()));
        break;
      case 1:
        std::generate(part.begin(), part.end(), [&] {
          return static_cast<std::byte>(random());
        });
        REQUIRE(device.write_at(offset, part));
        std::copy(part.begin(), part.end(), same.begin());
        break;
      default:
        REQUIRE(device.zero_at(offset, length));
        std::fill(same.begin(), same.end(), std::byte{0});
    }
  }
  REQUIRE(device.flush());
  REQUIRE(device.read_at(0, memory.span().first(size)));
  CHECK(std::equal(model.begin(), model.end(), memory.span().begin()));
}

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_MODEL_DISK_HPP
