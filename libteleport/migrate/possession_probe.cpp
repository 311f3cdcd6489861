// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/possession_probe.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/random.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// The SHA-256 of a secret and a place, as numbers of which each draws a block.
using draws = std::array<std::uint64_t, 4>;
static_assert(sizeof(draws) == sizeof(extent_digest));
static_assert(extent_blocks <=
              std::tuple_size_v<draws> * possession_probe::blocks_for_each);

draws draws_of(const possession_probe::secret& secret,
               const extent_place& place) {
  sha256_stream hash;
  hash.update(secret);
  const std::array<std::uint64_t, 2> numbers{place.disk, place.extent};
  hash.update(std::as_bytes(std::span(numbers)));
  const extent_digest digest = hash.finish();
  draws drawn{};
  std::memcpy(drawn.data(), digest.data(), sizeof(drawn));
  return drawn;
}

}  // namespace

possession_probe possession_probe::make() {
  secret value{};
  const auto filled = fill_with_random(value);
  if (!filled) {
    throw std::runtime_error(filled.error().context);
  }
  return possession_probe(value);
}

block_mask possession_probe::choose(const extent_place& place,
                                    const block_mask& donated) const {
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < extent_blocks; ++i) {
    if (donated.test(i)) {
      left.push_back(i);
    }
  }
  const std::size_t count =
      (left.size() + blocks_for_each - 1) / blocks_for_each;
  const draws drawn = draws_of(secret_, place);
  block_mask chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = drawn.at(i) % left.size();
    chosen.set(left[at]);
    left[at] = left.back();
    left.pop_back();
  }
  return chosen;
}

}  // namespace teleport
