// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/lane_records.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace teleport {

byte_buffer encode(const lane_ticket& ticket) {
  byte_writer out;
  out.bytes(ticket.name);
  out.bytes(ticket.secret);
  return std::move(out).take();
}

result<lane_ticket> decode_ticket(byte_span body) {
  byte_reader in(body);
  lane_ticket ticket;
  const byte_span name = in.take(ticket.name.size());
  const byte_span secret = in.take(ticket.secret.size());
  if (!in.done()) {
    return error(errc::protocol,
                 fmt::format("ASK_LANES record: {} bytes", body.size()));
  }
  copy_bytes(name, ticket.name);
  copy_bytes(secret, ticket.secret);
  return ticket;
}

byte_buffer encode_lanes(unsigned further) {
  byte_writer out;
  out.number(static_cast<std::uint8_t>(further));
  return std::move(out).take();
}

result<unsigned> decode_lanes(byte_span body) {
  byte_reader in(body);
  const auto further = in.number<std::uint8_t>();
  if (!in.done() || further >= most_lanes) {
    return error(errc::protocol,
                 fmt::format("LANES record: {} bytes, {} lanes",
                             body.size(),
                             unsigned{further}));
  }
  return further;
}

byte_buffer encode_preamble(const lane_name& name) {
  byte_writer out;
  out.bytes(as_bytes(preamble_magic));
  out.bytes(name);
  return std::move(out).take();
}

std::optional<lane_name> decode_preamble(byte_span bytes) {
  if (bytes.size() != preamble_bytes ||
      !as_text(bytes).starts_with(preamble_magic)) {
    return std::nullopt;
  }
  lane_name name{};
  copy_bytes(bytes.subspan(preamble_magic.size()), name);
  return name;
}

}  // namespace teleport
