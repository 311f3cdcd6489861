// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/codec.hpp: blocks compressed for the link. The only user of
// zstd here; libteleport/stream has its own for pages.
//
// Threads: pure functions; each thread keeps its own zstd context.
// Trust:   unpack() is given hostile input and an exact size to reach.

#ifndef LIBTELEPORT_WIRE_CODEC_HPP
#define LIBTELEPORT_WIRE_CODEC_HPP

#include <span>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

struct packed {
  bool compressed = false;
  byte_buffer bytes;
};

/// Compresses `raw`, or gives it back as it is where that would be larger.
[[nodiscard]] packed pack(byte_span raw, int level);

/// Fills `out` exactly.
///
/// @error errc::protocol when the bytes are no zstd frame of out.size() bytes
[[nodiscard]] result<void> unpack(byte_span packed_bytes,
                                  bool compressed,
                                  std::span<std::byte> out);

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_CODEC_HPP
