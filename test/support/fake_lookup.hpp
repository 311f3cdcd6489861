// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/fake_lookup.hpp: a content index that lies on purpose.
//
// Honest at first: add_donor() indexes every block and every whole extent.
// lie() then spoils a share of the answers: blocks that changed since, the
// wrong place, digests that were never asked for, runs that overlap or lie
// outside of everything, donors that cannot be read.

#ifndef TELEPORT_TEST_SUPPORT_FAKE_LOOKUP_HPP
#define TELEPORT_TEST_SUPPORT_FAKE_LOOKUP_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/possession_probe.hpp"

namespace teleport {

class fake_lookup : public content_lookup {
 public:
  /// Adds a donor and indexes it as it is now.
  void add_donor(byte_buffer content);

  /// Spoils one answer in `one_in`, in every way there is.
  void lie(std::uint64_t seed, unsigned one_in);

  /// The donor's disk: what is written here makes the index stale.
  [[nodiscard]] byte_buffer& donor(donor_id id) { return donors_.at(id); }

  [[nodiscard]] std::vector<donor_run> find_blocks(
      std::span<const block_digest> wanted) override;
  [[nodiscard]] std::optional<donor_extent> find_extent(
      const extent_digest& wanted) override;
  result<void> read_donor(donor_id donor,
                          std::uint64_t offset,
                          std::span<std::byte> out) override;

 private:
  [[nodiscard]] bool lies_now();
  void spoil(std::vector<donor_run>& runs, std::size_t wanted);

  std::vector<byte_buffer> donors_;
  std::map<block_digest, std::pair<donor_id, std::uint64_t>> blocks_;
  std::map<extent_digest, std::pair<donor_id, std::uint64_t>> extents_;
  std::mt19937_64 random_;
  unsigned one_in_ = 0;  ///< 0: honest
};

/// A probe whose choices are those of a seed.
[[nodiscard]] possession_probe probe_of(std::uint64_t seed);

/// Two different blocks with the same XXH3-64, of which anyone can make as
/// many as wanted: why a block's digest proves nothing.
[[nodiscard]] std::pair<byte_buffer, byte_buffer> colliding_blocks(
    std::uint32_t salt);

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_FAKE_LOOKUP_HPP
