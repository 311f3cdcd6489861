// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/record_bodies.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "libteleport/base/json_text.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

namespace {

byte_buffer bytes_of(const std::string& text) {
  const byte_span bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

template <auto Decode>
constexpr body_codec coded(record_type type,
                           body_form form = body_form::binary) {
  return {type,
          form,
          [](byte_span body) -> result<void> {
            const auto value = Decode(body);
            return value ? result<void>() : value.error();
          },
          [](byte_span body) -> result<byte_buffer> {
            const auto value = Decode(body);
            return value ? result<byte_buffer>(encode(*value)) : value.error();
          }};
}

template <auto Read>
constexpr body_codec json(record_type type) {
  return {type,
          body_form::json,
          [](byte_span body) -> result<void> {
            const auto value = Read(as_text(body));
            return value ? result<void>() : value.error();
          },
          [](byte_span body) -> result<byte_buffer> {
            const auto value = Read(as_text(body));
            return value ? result<byte_buffer>(bytes_of(to_json(*value)))
                         : value.error();
          }};
}

/// libxl's own JSON: any object.
result<byte_buffer> rewrite_config(byte_span body) {
  const auto config = parse_object(as_text(body), max_json_bytes);
  return config ? result<byte_buffer>(bytes_of(dump(*config)))
                : in_context("guest configuration", config.error());
}

result<void> check_config(byte_span body) {
  const auto config = rewrite_config(body);
  return config ? result<void>() : config.error();
}

constexpr std::array codecs = {
    coded<&decode_hello>(record_type::hello),
    json<&read_offer>(record_type::offer),
    json<&read_answer>(record_type::answer),
    json<&read_targets>(record_type::prepared),
    coded<&decode_extents>(record_type::extents),
    coded<&decode_extent_states>(record_type::extent_states),
    coded<&decode_block_digests>(record_type::block_digests),
    coded<&decode_wanted>(record_type::wanted),
    coded<&decode_extent_data>(record_type::extent_data),
    body_codec{record_type::guest_config,
               body_form::json,
               &check_config,
               &rewrite_config},
    coded<&decode_stream_piece>(record_type::stream_piece),
    json<&read_go_result>(record_type::go_result),
    coded<&decode_failure>(record_type::fail, body_form::json),
    coded<&read_query>(record_type::query),
    coded<&read_query_result>(record_type::query_result),
    json<&read_seed_offer>(record_type::seed),
    json<&read_seed_result>(record_type::seeded),
};

constexpr bool has_codec(record_type type) {
  return std::ranges::any_of(
      codecs, [type](const body_codec& one) { return one.type == type; });
}
static_assert(std::ranges::all_of(record_rows,
                                  [](const record_row& row) {
                                    return has_codec(row.type) ==
                                           (row.kind ==
                                            record_kind::of_session);
                                  }),
              "each record that has a body, and no other, is decoded");

}  // namespace

std::span<const body_codec> body_codecs() noexcept {
  return codecs;
}

const body_codec* codec_of(record_type type) noexcept {
  const auto* const found = std::ranges::find(codecs, type, &body_codec::type);
  return found != codecs.end() ? &*found : nullptr;
}

}  // namespace teleport
