// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/format.hpp: the records of the index as bytes and back. Pure.
//
// Layout: index/FORMAT.md, section 3. The two large values, a group's digests
// and a bucket's pairs, are read in place through views.
//
// Threads: values and views; a view lives as long as the bytes under it.
// Trust: what a view reads may be damaged or hostile: every offset is checked
//        against the value's length, nothing is allocated from a number in it.

#ifndef INDEX_FORMAT_HPP
#define INDEX_FORMAT_HPP

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/unique_id.hpp"
#include "libteleport/base/units.hpp"

namespace teleport::index {

inline constexpr std::uint32_t format_version = 5;

/// Extents of a group: 32 fill 17 pages of LMDB to 97 %.
inline constexpr std::uint32_t group_extents = 32;

/// Places kept for one digest, and slots for one SHA-256.
inline constexpr std::size_t max_places = 4;

/// The number of an extent among all disks.
using slot_number = std::uint32_t;

/// slot << 8 | block in the extent; 40 bits.
using place = std::uint64_t;

/// Upper 36 bits of a block's digest.
using tag = std::uint64_t;
inline constexpr unsigned tag_bits = 36;
inline constexpr tag max_tag = (tag{1} << tag_bits) - 1;

inline constexpr place max_place = (place{1} << 40U) - 1;

static_assert(extent_blocks == 256, "a place has eight bits for its block");
[[nodiscard]] constexpr place make_place(slot_number slot, unsigned block) {
  return place{slot} << 8U | block;
}
[[nodiscard]] constexpr slot_number slot_of(place at) {
  return static_cast<slot_number>(at >> 8U);
}
[[nodiscard]] constexpr unsigned block_of(place at) {
  return static_cast<unsigned>(at & 0xffU);
}
[[nodiscard]] constexpr tag tag_of(block_digest digest) {
  return digest >> (64 - tag_bits);
}

/// FORMAT.md section 4.
///
/// @param key  under which the value lies: one that was written under another
///             key is not intact
[[nodiscard]] std::uint32_t checksum(byte_span key, byte_span bytes);

/// A key of four bytes, big-endian.
[[nodiscard]] std::array<std::byte, 4> big_endian_key(std::uint32_t number);
[[nodiscard]] std::optional<std::uint32_t> key_number(byte_span key);
/// A bucket's key: five bytes, big-endian.
[[nodiscard]] std::array<std::byte, 5> bucket_key(tag highest);
[[nodiscard]] std::optional<tag> bucket_tag(byte_span key);

/// Little-endian at `at`, fast. @pre at + sizeof(T) <= bytes.size()
template <class T>
[[nodiscard]] T peek(byte_span bytes, std::size_t at) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    T value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
  } else {
    return load_le<T>(bytes.subspan(at));
  }
}

struct state_record {
  std::uint32_t version = format_version;
  std::uint32_t next_disk = 1;
  std::uint64_t generation = 0;
  /// Of this database, drawn when it was begun: no other has the same.
  unique_id instance;
};
[[nodiscard]] byte_buffer encode(const state_record& state);
[[nodiscard]] std::optional<state_record> decode_state(byte_span value);

struct disk_record {
  std::uint32_t id = 0;  ///< the key
  slot_number base = 0;
  bool complete = false;
  /// Added by `donors = auto`: the keeper may remove it again.
  bool by_itself = false;
  std::uint64_t size = 0;
  std::uint64_t scanned_at = 0;  ///< seconds since 1970; 0 never
  std::uint64_t changed_at = 0;  ///< nanoseconds since 1970; 0 for devices
  std::uint64_t data_blocks = 0;
  std::uint64_t zero_blocks = 0;
  std::string path;
  std::string identity;
  /// Grows with each completed scan, and each time that a keeper brought the
  /// record's digests up to date: an older copy of the index is known by it.
  std::uint64_t epoch = 0;
  /// Over the numbers of the groups that existed then (sum_of_groups()): only
  /// while it holds does a group that does not exist mean zeros for certain.
  std::uint64_t group_sum = 0;
  /// The tracker that followed the disk while it was scanned, from before the
  /// first read; unset: none did, or the scan is not complete.
  unique_id tracker;

  [[nodiscard]] std::uint64_t extents() const noexcept {
    return extents_of(size);
  }
  [[nodiscard]] bool owns(slot_number slot) const noexcept {
    return slot >= base && slot - base < extents();
  }
  /// One past the last slot, rounded up to whole groups.
  [[nodiscard]] std::uint64_t end_slot() const noexcept {
    return base + count_of(extents(), group_extents) * group_extents;
  }
};
[[nodiscard]] byte_buffer encode(const disk_record& disk);
[[nodiscard]] std::optional<disk_record> decode_disk(std::uint32_t id,
                                                     byte_span value);

/// A number that tells one set of groups from another, whatever the order.
[[nodiscard]] std::uint64_t sum_of_groups(
    std::span<const std::uint32_t> numbers);

/// One extent inside a group's value, bounds already checked.
struct extent_view {
  byte_span sha;            ///< 32 bytes
  block_mask blocks;        ///< those that are not zero
  std::uint32_t first = 0;  ///< number of its first digest in the group
  std::uint32_t count = 0;  ///< digests, as many as bits in `blocks`

  [[nodiscard]] bool has(unsigned block) const noexcept {
    return blocks.test(block);
  }
  /// Digests of this extent before `block`'s.
  [[nodiscard]] std::uint32_t rank(unsigned block) const noexcept;
  /// The first block from `from` on that is not zero; extent_blocks when none.
  [[nodiscard]] unsigned next(unsigned from) const noexcept;
};

/// A value of the table `groups`.
class group_view {
 public:
  /// @return nullopt when lengths contradict each other
  [[nodiscard]] static std::optional<group_view> parse(byte_span value);
  /// Is the checksum right? Reads all of it.
  ///
  /// @param number  of the group, under which the value lies
  [[nodiscard]] bool intact(std::uint32_t number) const;

  [[nodiscard]] bool known(unsigned extent) const noexcept {
    return (known_ >> extent & 1U) != 0;
  }
  [[nodiscard]] bool has_data(unsigned extent) const noexcept {
    return (data_ >> extent & 1U) != 0;
  }
  /// @pre extent < group_extents
  /// @return nullopt when it is zero, unknown or damaged
  [[nodiscard]] std::optional<extent_view> extent(unsigned extent) const;
  /// The lowest extent from `from` on that has data; group_extents when none.
  [[nodiscard]] unsigned next_data(unsigned from) const noexcept;
  /// @pre number < digests()
  [[nodiscard]] block_digest digest(std::uint32_t number) const noexcept {
    return peek<std::uint64_t>(digests_, std::size_t{number} * 8);
  }
  [[nodiscard]] std::uint32_t digests() const noexcept {
    return static_cast<std::uint32_t>(digests_.size() / 8);
  }
  /// Asks for the memory that extent() of a full group will read.
  static void prefetch(byte_span value, unsigned extent) noexcept;
  /// Asks for the memory that digest() will read. @pre number < digests()
  void prefetch_digest(std::uint32_t number) const noexcept {
    __builtin_prefetch(digests_.data() + std::size_t{number} * 8);
  }

 private:
  byte_span value_;
  byte_span digests_;
  std::uint32_t known_ = 0;
  std::uint32_t data_ = 0;
};

/// What a scan found in one extent.
struct extent_content {
  extent_digest sha{};
  block_mask blocks;  ///< those that are not zero
  std::array<block_digest, extent_blocks> digests{};  ///< packed
  std::uint32_t count = 0;  ///< 0: all zero, sha not set
};

/// Collects up to 32 extents and codes them.
class group_builder {
 public:
  /// @pre added in ascending order of `extent`
  void add(unsigned extent, const extent_content& content);
  void add_zero(unsigned extent) { known_ |= 1U << extent; }
  /// The extent stays as it is in `group`; unknown, if it is damaged there.
  void keep(unsigned extent, const group_view& group);
  [[nodiscard]] bool has_data() const noexcept { return data_ != 0; }
  /// Every one of the first `extents` is known.
  [[nodiscard]] bool all_known(unsigned extents) const noexcept;
  /// @param number  of the group
  [[nodiscard]] byte_buffer encode(std::uint32_t number) const;

 private:
  std::uint32_t known_ = 0;
  std::uint32_t data_ = 0;
  std::uint32_t count_ = 0;
  byte_writer records_;
  byte_writer digests_;
};

}  // namespace teleport::index

#endif  // INDEX_FORMAT_HPP
