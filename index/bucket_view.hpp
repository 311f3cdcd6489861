// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/bucket_view.hpp: a bucket of (tag, place) pairs: "where does a digest
// with these upper bits lie?" Pure.
//
// Layout: index/FORMAT.md, 3.4. Tags are digests' bits and so evenly spread:
// the bucket is cut into cells of equal width, about 24 pairs each, so one look
// at the cell's bounds and one at its tags say "not here", without a look at
// the places, which lie apart. A crafted bucket costs a few steps more, no
// more.
//
// Threads: values and views; a view lives as long as the bytes under it.
// Trust: as index/format.hpp.

#ifndef INDEX_BUCKET_VIEW_HPP
#define INDEX_BUCKET_VIEW_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "index/format.hpp"

namespace teleport::index {

/// Largest bucket a writer makes: eight pages of LMDB less their header.
inline constexpr std::size_t max_bucket_bytes = 8 * 4096 - 16;

struct tag_place {
  tag key = 0;
  place at = 0;

  friend bool operator==(const tag_place&, const tag_place&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): false alarm of clang-tidy 14
  friend auto operator<=>(const tag_place&, const tag_place&) = default;
};

/// A value of the table `buckets`.
class bucket_view {
 public:
  /// Pairs that may have a wanted tag: [first, last).
  struct range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  [[nodiscard]] static std::optional<bucket_view> parse(byte_span value);
  /// All pairs, when the checksum is right and they are ascending.
  [[nodiscard]] std::optional<std::vector<tag_place>> intact_pairs(
      tag key) const;
  [[nodiscard]] std::uint32_t size() const noexcept { return count_; }

  /// Copies the places of `wanted` into `out`.
  ///
  /// @return how many, at most out.size()
  [[nodiscard]] std::size_t find(tag wanted, std::span<place> out) const;

  // The same in steps, each of which asks for the memory that the next one
  // reads: so a batch of look-ups waits for all of its memory at once.
  void prefetch_cell(tag wanted) const noexcept;
  /// The cell of `wanted`. @return an empty range when there is none
  [[nodiscard]] range cell_of(tag wanted) const noexcept;
  /// The pairs in `cell` whose tag is `wanted`.
  [[nodiscard]] range match(range cell, tag wanted) const noexcept;
  /// @pre found is what match() returned
  [[nodiscard]] std::size_t places(range found, std::span<place> out) const;

 private:
  [[nodiscard]] range cell(std::uint32_t number) const noexcept;
  [[nodiscard]] std::uint64_t rest_at(std::uint32_t number) const noexcept;
  [[nodiscard]] place place_at(std::uint32_t number) const noexcept;

  byte_span value_;
  tag base_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t cells_ = 0;
  unsigned shift_ = 0;
  unsigned rest_bytes_ = 0;
  unsigned place_bytes_ = 0;
  std::size_t rests_at_ = 0;
  std::size_t places_at_ = 0;
};

/// Codes pairs, which must be ascending; none gives an empty bucket.
///
/// @param key  under which the bucket will lie
[[nodiscard]] byte_buffer encode_bucket(tag key,
                                        std::span<const tag_place> pairs);

/// Bytes that encode_bucket() would need.
[[nodiscard]] std::size_t bucket_bytes(std::span<const tag_place> pairs);

}  // namespace teleport::index

#endif  // INDEX_BUCKET_VIEW_HPP
