// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/fake_lookup.hpp"

#include <algorithm>
#include <cstring>

#include "libteleport/base/units.hpp"

namespace teleport {

void fake_lookup::add_donor(byte_buffer content) {
  const auto id = static_cast<donor_id>(donors_.size());
  const byte_span bytes = content;
  for (std::uint64_t at = 0; at + block_bytes <= bytes.size();
       at += block_bytes) {
    blocks_.try_emplace(digest_block(bytes.subspan(at, block_bytes)), id, at);
  }
  for (std::uint64_t at = 0; at + extent_bytes <= bytes.size();
       at += extent_bytes) {
    extents_.try_emplace(
        digest_extent(bytes.subspan(at, extent_bytes)), id, at);
  }
  donors_.push_back(std::move(content));
}

void fake_lookup::lie(std::uint64_t seed, unsigned one_in) {
  random_.seed(seed);
  one_in_ = one_in;
}

bool fake_lookup::lies_now() {
  return one_in_ != 0 && random_() % one_in_ == 0;
}

std::vector<donor_run> fake_lookup::find_blocks(
    std::span<const block_digest> wanted) {
  std::vector<donor_run> runs;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = blocks_.find(wanted[i]);
    if (found == blocks_.end()) {
      continue;
    }
    const auto [donor, offset] = found->second;
    if (!runs.empty() && runs.back().first + runs.back().count == i &&
        runs.back().donor == donor &&
        runs.back().offset + runs.back().count * block_bytes == offset) {
      ++runs.back().count;
    } else {
      runs.push_back({i, 1, donor, offset});
    }
  }
  spoil(runs, wanted.size());
  return runs;
}

void fake_lookup::spoil(std::vector<donor_run>& runs, std::size_t wanted) {
  for (donor_run& run : runs) {
    if (!lies_now()) {
      continue;
    }
    switch (random_() % 5) {
      case 0:
        run.offset += block_bytes;
        break;
      case 1:
        run.donor = 1'000'000;
        break;
      case 2:
        run.first = random_() % wanted;
        break;
      case 3:
        run.count += random_() % 400;
        break;
      default:
        run.offset = UINT64_MAX - block_bytes + 1;
    }
  }
  if (lies_now() && !runs.empty()) {
    runs.push_back(runs.front());  // twice the same
  }
  if (lies_now() && !donors_.empty()) {
    runs.push_back({0, wanted, 0, 0});  // overlaps all, mostly wrong
  }
  if (lies_now()) {
    runs.push_back({wanted, 1, 0, 0});
    runs.push_back({SIZE_MAX, SIZE_MAX, 0, 0});
    runs.push_back({0, SIZE_MAX, 0, 0});
    runs.push_back({0, 0, 0, 0});
  }
}

std::optional<donor_extent> fake_lookup::find_extent(
    const extent_digest& wanted) {
  if (lies_now()) {
    return donor_extent{0, random_() % 4 * extent_bytes};
  }
  const auto found = extents_.find(wanted);
  if (found == extents_.end()) {
    return std::nullopt;
  }
  return donor_extent{found->second.first, found->second.second};
}

result<void> fake_lookup::read_donor(donor_id donor,
                                     std::uint64_t offset,
                                     std::span<std::byte> out) {
  if (lies_now()) {
    std::ranges::fill(out.first(out.size() / 2), std::byte{0xdd});
    return error(errc::system, "the donor's disk is broken");
  }
  if (donor >= donors_.size() || offset > donors_[donor].size() ||
      out.size() > donors_[donor].size() - offset) {
    return error(errc::not_found, "no such donor, or shorter");
  }
  std::ranges::copy(byte_span(donors_[donor]).subspan(offset, out.size()),
                    out.begin());
  return {};
}

possession_probe probe_of(std::uint64_t seed) {
  possession_probe::secret secret{};
  std::memcpy(secret.data(), &seed, sizeof(seed));
  return possession_probe(secret);
}

std::pair<byte_buffer, byte_buffer> colliding_blocks(std::uint32_t salt) {
  // XXH3 multiplies the two halves of each 8 bytes after an exclusive or with
  // a known key, and adds the 8 bytes to the neighbouring sum. Where the lower
  // halves equal the key's, both products are 0 and only the sum of the upper
  // halves of two stripes (64 bytes apart) is seen.
  constexpr std::uint32_t first_key = 0x396cfeb8;
  constexpr std::uint32_t second_key = 0x2c81017c;
  const auto make = [&](std::uint32_t shift) {
    byte_buffer block(block_bytes);
    for (std::size_t at = 128; at < block.size(); at += 4) {
      store_le(static_cast<std::uint32_t>(salt + at),
               std::span(block).subspan(at));
    }
    const auto put =
        [&](std::size_t at, std::uint32_t low, std::uint32_t high) {
          store_le(low, std::span(block).subspan(at));
          store_le(high, std::span(block).subspan(at + 4));
        };
    put(0, first_key, salt + shift);
    put(64, second_key, salt - shift);
    return block;
  };
  return {make(0), make(7)};
}

}  // namespace teleport
