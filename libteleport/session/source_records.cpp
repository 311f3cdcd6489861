// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/source_records.hpp"

#include <utility>

#include "libteleport/session/greeting.hpp"
#include "libteleport/session/record_bodies.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

namespace {

/// JSON that is written again cannot mean another thing to another parser, and
/// a megabyte of blocks has one form. FAIL ends a session whatever is in it;
/// the link's own records are decoded by its connection.
result<byte_buffer> passed_on(const record_row& row, byte_buffer body) {
  const body_codec* const codec = codec_of(row.type);
  if (row.type == record_type::fail || row.kind != record_kind::of_session) {
    return body;
  }
  if (codec == nullptr) {
    return out_of_state(record_sender::source, row.type, "");
  }
  if (codec->form == body_form::json) {
    return codec->rewrite(body);
  }
  const auto right = codec->check(body);
  return right ? result<byte_buffer>(std::move(body)) : right.error();
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
  auto body = passed_on(*row, std::move(record.body));
  return body ? result<raw_record>(raw_record{record.type, std::move(*body)})
              : result<raw_record>(body.error());
}

}  // namespace teleport
