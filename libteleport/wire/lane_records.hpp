// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/lane_records.hpp: what is said to open further lanes of a
// link: ASK_LANES, LANES, and a lane's preamble (PROTOCOL.md, 1.1). Pure.
//
// Trust: input is hostile; a body is decoded whole or not at all.

#ifndef LIBTELEPORT_WIRE_LANE_RECORDS_HPP
#define LIBTELEPORT_WIRE_LANE_RECORDS_HPP

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

/// Lanes of one link at once, both ends.
inline constexpr unsigned most_lanes = 16;

/// Finds the link among those of a host; it crosses the network in the clear.
using lane_name = std::array<std::byte, 16>;
/// Says that a lane is of the link; it crosses encrypted lanes only.
using lane_secret = std::array<std::byte, 32>;

/// The body of ASK_LANES.
struct lane_ticket {
  lane_name name{};
  lane_secret secret{};
};
[[nodiscard]] byte_buffer encode(const lane_ticket& ticket);
/// @error errc::protocol
[[nodiscard]] result<lane_ticket> decode_ticket(byte_span body);

/// The body of LANES.
/// @param further  lanes that the destination lets in beside the first
[[nodiscard]] byte_buffer encode_lanes(unsigned further);
/// @return less than most_lanes
/// @error errc::protocol
[[nodiscard]] result<unsigned> decode_lanes(byte_span body);

/// How a preamble begins. Never the beginning of a TLS handshake, whose first
/// byte is 22.
inline constexpr std::string_view preamble_magic = "TPLANE01";
inline constexpr std::size_t preamble_bytes =
    preamble_magic.size() + std::tuple_size_v<lane_name>;

/// What a further lane sends before its handshake.
[[nodiscard]] byte_buffer encode_preamble(const lane_name& name);
/// @return nullopt when this is no preamble
[[nodiscard]] std::optional<lane_name> decode_preamble(byte_span bytes);

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_LANE_RECORDS_HPP
