// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/record.hpp: the records' bodies, as structures and as bytes.
//
// One structure a record type; encode() gives its body, decode_X() checks
// every field. JSON bodies stay text here: who reads them checks them.
// PROTOCOL.md, sections 3 to 6.
//
// Threads: pure functions.
// Trust:   decode input is hostile; errors are errc::protocol.

#ifndef LIBTELEPORT_WIRE_RECORD_HPP
#define LIBTELEPORT_WIRE_RECORD_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// HELLO: first from both sides.
struct hello_record {
  std::uint32_t version = protocol_version;
  std::string software;  ///< "xl-teleport 0.1.0", for logs alone
};

/// A place on the guest's disks: the disk by its number in the OFFER.
struct extent_place {
  std::uint16_t disk = 0;
  std::uint64_t extent = 0;
  // The compiler's own comparison with 0, which clang-tidy takes for ours.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const extent_place&, const extent_place&) = default;
};

/// EXTENTS: consecutive extents of one disk; nullopt for one of zeros.
struct extents_record {
  std::uint16_t disk = 0;
  std::uint64_t first = 0;
  std::vector<std::optional<extent_digest>> digests;
};

/// What the destination says of an extent.
enum class extent_state : std::uint8_t {
  /// Its bytes are on the target, proven by the extent's SHA-256.
  proven = 1,
  /// Not known as a whole: send the digests of its blocks.
  wants_digests = 2,
  /// What was put together is not what the digest says: send everything.
  mismatch = 3,
};

struct extent_states_record {
  struct entry {
    extent_place place;
    extent_state state{};
  };
  std::vector<entry> entries;
};

/// BLOCK_DIGESTS: one digest for each block that is not zero, in disk order.
struct block_digests_record {
  extent_place place;
  block_mask zero;
  std::vector<block_digest> digests;
};

/// WANTED: the blocks that nobody at the destination holds.
struct wanted_record {
  extent_place place;
  block_mask blocks;
};

/// How a payload stands in its record. Values are never reused; 1 was a frame
/// of its own.
enum class data_coding : std::uint8_t {
  plain = 0,
  streamed = 2,  ///< the next piece of the session's zstd stream
};

/// EXTENT_DATA: blocks and what the whole extent must be afterwards. Blocks in
/// neither mask stay as the destination has them.
struct extent_data_record {
  extent_place place;
  extent_digest digest{};       ///< SHA-256 of the extent with this applied
  block_mask data;              ///< blocks whose bytes follow
  block_mask zero;              ///< blocks that are zeros now
  std::uint32_t raw_bytes = 0;  ///< length of the blocks before coding
  data_coding coding = data_coding::plain;
  byte_buffer payload;
};

/// EXTENT_DATA before it is packed, or after it was unpacked.
struct block_data {
  extent_data_record head;  ///< without a payload
  byte_buffer raw;          ///< the blocks in head.data, in disk order
};

/// STREAM_PIECE: a piece of libxl's stream as libteleport/stream codes it.
struct stream_piece_record {
  std::uint8_t kind = 0;
  byte_buffer body;
};

[[nodiscard]] byte_buffer encode(const hello_record& record);
[[nodiscard]] byte_buffer encode(const extents_record& record);
[[nodiscard]] byte_buffer encode(const extent_states_record& record);
[[nodiscard]] byte_buffer encode(const block_digests_record& record);
[[nodiscard]] byte_buffer encode(const wanted_record& record);
[[nodiscard]] byte_buffer encode(const extent_data_record& record);
[[nodiscard]] byte_buffer encode(const stream_piece_record& record);

/// @error errc::protocol for a body where PROTOCOL.md, 2.3, says "empty"
[[nodiscard]] result<void> check_empty(record_type type, byte_span body);
[[nodiscard]] result<hello_record> decode_hello(byte_span body);
[[nodiscard]] result<extents_record> decode_extents(byte_span body);
[[nodiscard]] result<extent_states_record> decode_extent_states(byte_span body);
[[nodiscard]] result<block_digests_record> decode_block_digests(byte_span body);
[[nodiscard]] result<wanted_record> decode_wanted(byte_span body);
[[nodiscard]] result<extent_data_record> decode_extent_data(byte_span body);
[[nodiscard]] result<stream_piece_record> decode_stream_piece(byte_span body);

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_RECORD_HPP
