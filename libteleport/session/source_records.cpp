// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/source_records.hpp"

#include <string>
#include <utility>

#include "libteleport/base/json_text.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

namespace {

byte_buffer bytes_of(const std::string& text) {
  const byte_span bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// @return the body as it was
template <class Decoded>
result<byte_buffer> unchanged(const result<Decoded>& decoded,
                              byte_buffer&& body) {
  if (!decoded) {
    return decoded.error();
  }
  return std::move(body);
}

/// @return the body as this program writes it
template <class Read>
result<byte_buffer> rewritten(const result<Read>& read) {
  return read ? result<byte_buffer>(bytes_of(to_json(*read)))
              : result<byte_buffer>(read.error());
}

result<byte_buffer> rewritten_config(byte_span body) {
  const auto config = parse_object(as_text(body), max_json_bytes);
  return config ? result<byte_buffer>(bytes_of(dump(*config)))
                : result<byte_buffer>(
                      in_context("guest configuration", config.error()));
}

result<byte_buffer> checked_body(record_type type, byte_buffer body) {
  switch (type) {
    case record_type::offer:
      return rewritten(read_offer(as_text(body)));
    case record_type::seed:
      return rewritten(read_seed_offer(as_text(body)));
    case record_type::guest_config:
      return rewritten_config(body);
    case record_type::query:
      return unchanged(read_query(body), std::move(body));
    case record_type::extents:
      return unchanged(decode_extents(body), std::move(body));
    case record_type::block_digests:
      return unchanged(decode_block_digests(body), std::move(body));
    case record_type::extent_data:
      return unchanged(decode_extent_data(body), std::move(body));
    case record_type::stream_piece:
      return unchanged(decode_stream_piece(body), std::move(body));
    case record_type::fail:  // ends a session whatever is in it
    case record_type::hello:
    // Empty, as check() has seen.
    case record_type::prepare:
    case record_type::disks_complete:
    case record_type::go:
    case record_type::ask_turn:
    // The link's own, which its connection decodes.
    case record_type::ask_lanes:
    case record_type::lanes:
    case record_type::join:
    case record_type::slice:
    // The destination's, which check() refuses.
    case record_type::answer:
    case record_type::prepared:
    case record_type::extent_states:
    case record_type::wanted:
    case record_type::disks_durable:
    case record_type::guest_received:
    case record_type::go_result:
    case record_type::query_result:
    case record_type::turn:
    case record_type::seeded:
      break;
  }
  return body;
}

}  // namespace

result<raw_record> source_records::check(raw_record record) {
  // QUERY is the same in all versions (PROTOCOL.md, 2.1).
  if (is_foreign_ && record.type != record_type::query) {
    record.body.clear();
    return record;
  }
  if (record.type == record_type::hello) {
    const auto greeted = check_hello(record.body, "the source");
    is_foreign_ = !greeted && greeted.error().code == errc::unsupported;
    return greeted || is_foreign_ ? result<raw_record>(std::move(record))
                                  : result<raw_record>(greeted.error());
  }
  const record_row* const row = row_of(record.type);
  if (row == nullptr || row->by == record_sender::destination) {
    return out_of_state(record_sender::source, record.type, "");
  }
  if (auto empty = check_empty(record.type, record.body); !empty) {
    return empty.error();
  }
  auto body = checked_body(record.type, std::move(record.body));
  return body ? result<raw_record>(raw_record{record.type, std::move(*body)})
              : result<raw_record>(body.error());
}

}  // namespace teleport
