// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/bucket.hpp: a bucket of (tag, place) pairs: "where does a digest with
// these upper bits lie?" Pure.
//
// Layout: index/FORMAT.md, 3.4. Tags are digests' bits and so evenly spread: a
// guess by interpolation lands within a cache line or two of its goal, however
// large the bucket; a crafted bucket costs a few more steps, no more.
//
// Threads: values and views; a view lives as long as the bytes under it.
// Trust: as index/format.hpp.

#ifndef INDEX_BUCKET_HPP
#define INDEX_BUCKET_HPP

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
  [[nodiscard]] static std::optional<bucket_view> parse(byte_span value);
  /// Is the checksum right, and are the pairs ascending? Reads all of it.
  [[nodiscard]] bool intact() const;

  /// Copies the places of `wanted` into `out`.
  ///
  /// @return how many, at most out.size()
  [[nodiscard]] std::size_t find(tag wanted, std::span<place> out) const;

  [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
  /// @pre number < size()
  [[nodiscard]] tag_place at(std::uint32_t number) const noexcept;

 private:
  [[nodiscard]] std::uint64_t offset_at(std::uint32_t number) const noexcept;
  [[nodiscard]] std::uint32_t lower_bound(std::uint64_t offset) const;

  byte_span value_;
  std::uint32_t base_ = 0;
  std::uint32_t count_ = 0;
  unsigned tag_bytes_ = 0;
  unsigned place_bytes_ = 0;
};

/// Codes pairs, which must be ascending; none gives an empty bucket.
[[nodiscard]] byte_buffer encode_bucket(std::span<const tag_place> pairs);

/// Bytes that encode_bucket() would need.
[[nodiscard]] std::size_t bucket_bytes(std::span<const tag_place> pairs);

}  // namespace teleport::index

#endif  // INDEX_BUCKET_HPP
