// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/record_bodies.hpp: how the body of each record of a
// session is decoded, and written again. Of a record without a body, and of the
// link's own, it has no row.
//
//   const body_codec* const codec = codec_of(record.type);
//   if (codec != nullptr) { auto same = codec->rewrite(record.body); }
//
// Threads: any.
// Trust:   bodies are a peer's. What is told of one that is refused is its
//          decoder's sentence.

#ifndef LIBTELEPORT_SESSION_RECORD_BODIES_HPP
#define LIBTELEPORT_SESSION_RECORD_BODIES_HPP

#include <cstdint>
#include <span>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

enum class body_form : std::uint8_t {
  binary,  ///< one way to write a value
  json,    ///< many ways: blanks, order, escapes
};

struct body_codec {
  record_type type{};
  body_form form = body_form::binary;
  /// @error as the record's decoder says
  result<void> (*check)(byte_span body) = nullptr;
  /// @return the same value, as this program writes it
  /// @error as check()
  result<byte_buffer> (*rewrite)(byte_span body) = nullptr;
};

/// By their numbers.
[[nodiscard]] std::span<const body_codec> body_codecs() noexcept;

/// @return nullptr for a record without a body, and for the link's own
[[nodiscard]] const body_codec* codec_of(record_type type) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_RECORD_BODIES_HPP
