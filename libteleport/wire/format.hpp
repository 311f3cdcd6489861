// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/format.hpp: numbers of the wire protocol. The truth is
// libteleport/PROTOCOL.md; section numbers refer to it.

#ifndef LIBTELEPORT_WIRE_FORMAT_HPP
#define LIBTELEPORT_WIRE_FORMAT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libteleport/base/units.hpp"

namespace teleport {

/// "TELEPORT" as it stands in memory (section 3.1).
inline constexpr std::uint64_t protocol_magic = 0x54524f50454c4554U;

/// Version spoken (section 2).
inline constexpr std::uint32_t protocol_version = 3;

/// Bytes of a record's header: u32 length, u16 type, u16 reserved (section 2).
inline constexpr std::size_t record_header_bytes = 8;

/// Longest record body, in bytes: the largest PAGE_DATA record that libxc
/// writes (1024 pages and their numbers) with room to spare (section 2).
inline constexpr std::size_t max_record_bytes = 8_MiB;

/// Longest JSON text in a record, in bytes (section 2.2). A guest's whole
/// configuration is some 10 KiB.
inline constexpr std::size_t max_json_bytes = 1_MiB;

/// Extents under way at once between announcement and proof (section 4.1). Of
/// most of them only digests are held, some 4 KiB each.
inline constexpr std::size_t max_outstanding = 1024;

/// Bytes of blocks in EXTENT_DATA whose EXTENT_STATES has not come, before they
/// are packed: what the destination may have to hold. At 200 ms of round trip
/// that is 480 MiB of gaps a second.
inline constexpr std::size_t max_data_bytes = 96_MiB;

/// Extents in one EXTENTS or EXTENT_STATES record (section 4.2).
inline constexpr std::size_t max_announced = 64;

/// Longest payload of EXTENT_DATA: 1 MiB that does not get smaller, and what
/// zstd adds to it.
inline constexpr std::size_t max_payload_bytes = extent_bytes + 16_KiB;

/// What a record is. Values are never reused.
enum class record_type : std::uint16_t {
  hello = 1,
  offer = 2,
  answer = 3,
  prepare = 4,
  prepared = 5,
  extents = 6,
  extent_states = 7,
  block_digests = 8,
  wanted = 9,
  extent_data = 10,
  disks_complete = 11,
  disks_durable = 12,
  guest_config = 13,
  stream_piece = 14,
  guest_received = 15,
  go = 16,
  go_result = 17,
  fail = 18,
  query = 19,
  query_result = 20,
  ask_turn = 21,
  turn = 22,
  // From 32 on: what brings disks without a guest (section 7).
  seed = 32,
  seeded = 33,
  // From 48 on: the link's own, which no session sees (section 1.1).
  ask_lanes = 48,
  lanes = 49,
  join = 50,
  slice = 51,
};

/// Who sends a record.
enum class record_sender : std::uint8_t { source, destination, both };

enum class record_kind : std::uint8_t {
  of_session,
  empty,    ///< of a session, without a body
  of_link,  ///< the link's own, which no session sees (section 1.1)
};

struct record_row {
  record_type type{};
  std::string_view name;  ///< in PROTOCOL.md
  record_sender by{};
  record_kind kind = record_kind::of_session;
};

/// Every record that there is: section 2.3.
inline constexpr std::array<record_row, 28> record_rows{{
    {record_type::hello, "HELLO", record_sender::both},
    {record_type::offer, "OFFER", record_sender::source},
    {record_type::answer, "ANSWER", record_sender::destination},
    {record_type::prepare,
     "PREPARE",
     record_sender::source,
     record_kind::empty},
    {record_type::prepared, "PREPARED", record_sender::destination},
    {record_type::extents, "EXTENTS", record_sender::source},
    {record_type::extent_states, "EXTENT_STATES", record_sender::destination},
    {record_type::block_digests, "BLOCK_DIGESTS", record_sender::source},
    {record_type::wanted, "WANTED", record_sender::destination},
    {record_type::extent_data, "EXTENT_DATA", record_sender::source},
    {record_type::disks_complete,
     "DISKS_COMPLETE",
     record_sender::source,
     record_kind::empty},
    {record_type::disks_durable,
     "DISKS_DURABLE",
     record_sender::destination,
     record_kind::empty},
    {record_type::guest_config, "GUEST_CONFIG", record_sender::source},
    {record_type::stream_piece, "STREAM_PIECE", record_sender::source},
    {record_type::guest_received,
     "GUEST_RECEIVED",
     record_sender::destination,
     record_kind::empty},
    {record_type::go, "GO", record_sender::source, record_kind::empty},
    {record_type::go_result, "GO_RESULT", record_sender::destination},
    {record_type::fail, "FAIL", record_sender::both},
    {record_type::query, "QUERY", record_sender::source},
    {record_type::query_result, "QUERY_RESULT", record_sender::destination},
    {record_type::ask_turn,
     "ASK_TURN",
     record_sender::source,
     record_kind::empty},
    {record_type::turn, "TURN", record_sender::destination, record_kind::empty},
    {record_type::seed, "SEED", record_sender::source},
    {record_type::seeded, "SEEDED", record_sender::destination},
    {record_type::ask_lanes,
     "ASK_LANES",
     record_sender::source,
     record_kind::of_link},
    {record_type::lanes,
     "LANES",
     record_sender::destination,
     record_kind::of_link},
    {record_type::join, "JOIN", record_sender::both, record_kind::of_link},
    {record_type::slice, "SLICE", record_sender::source, record_kind::of_link},
}};

/// @return nullptr for a number without a row
[[nodiscard]] constexpr const record_row* row_of(record_type type) noexcept {
  for (const record_row& row : record_rows) {
    if (row.type == type) {
      return &row;
    }
  }
  return nullptr;
}

/// The record's name in PROTOCOL.md: "HELLO"; "" for any other number.
[[nodiscard]] constexpr std::string_view name_of(record_type type) noexcept {
  const record_row* const row = row_of(type);
  return row != nullptr ? row->name : std::string_view();
}

[[nodiscard]] constexpr bool is_known(std::uint16_t type) noexcept {
  return row_of(static_cast<record_type>(type)) != nullptr;
}

[[nodiscard]] constexpr bool is_link_record(record_type type) noexcept {
  const record_row* const row = row_of(type);
  return row != nullptr && row->kind == record_kind::of_link;
}

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_FORMAT_HPP
