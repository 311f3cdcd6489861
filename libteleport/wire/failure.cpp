// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/failure.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_code = 256;
constexpr std::size_t max_sentence = 4096;

/// Whether `c` continues a character of UTF-8.
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

std::string fitting(std::string text) {
  std::ranges::replace_if(
      text,
      [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; },
      ' ');
  if (text.size() > max_sentence) {
    std::size_t end = max_sentence;
    while (end > 0 && is_continuation(text[end])) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

}  // namespace

byte_buffer encode(const failure_note& note) {
  const std::string text =
      dump({{"code", note.code}, {"sentence", fitting(note.sentence)}});
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
  note.sentence = fields.text("sentence", max_sentence);
  if (fields.failed()) {
    return error(errc::protocol, "FAIL record: " + *fields.failed());
  }
  return note;
}

}  // namespace teleport
