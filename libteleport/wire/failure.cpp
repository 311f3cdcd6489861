// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/failure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/sentence.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_code = 256;

}  // namespace

byte_buffer encode(const failure_note& note) {
  const std::string text =
      dump({{"code", note.code}, {"sentence", sendable(note.sentence)}});
  const byte_span bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

result<failure_note> decode_failure(byte_span body) {
  const auto object = parse_object(as_text(body), max_json_bytes);
  if (!object) {
    return error(errc::protocol, "FAIL record: " + object.error().context);
  }
  json_fields fields(*object);
  failure_note note;
  note.code = fields.text("code", max_code);
  note.sentence = fields.text("sentence", max_sentence_bytes);
  if (fields.failed()) {
    return error(errc::protocol, "FAIL record: " + *fields.failed());
  }
  return note;
}

error not_paired(std::string_view host, std::string_view why) {
  return {errc::not_paired,
          fmt::format("{0} is not paired with this host ({1}): run "
                      "'teleportctl pair root@{0}' here",
                      host,
                      why)};
}

}  // namespace teleport
