// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_stream_filter.cpp: any bytes as libxl's stream. What the
// source makes of them must come out the same at the destination.
//
// Input: u8 that chooses how the stream is cut, then the stream.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "libteleport/stream/stream_filter.hpp"

namespace {

using namespace teleport;

void must(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const byte_span stream = std::as_bytes(std::span(data, size)).subspan(1);
  // At most some hundred cuts, so that long streams stay fast.
  const std::size_t chosen = data[0] < 64 ? 1U + data[0] : 1U << (data[0] % 17);
  const std::size_t step = std::max(chosen, stream.size() / 256);
  stream_filter filter;
  stream_rebuild side;
  byte_buffer out;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const auto pieces =
        filter.feed(stream.subspan(at, std::min(step, stream.size() - at)));
    if (!pieces) {
      must(!filter.ended());
      must(!filter.feed(stream).has_value());
      return 0;
    }
    for (const coded_piece& piece : *pieces) {
      must(piece.body.size() <= max_piece_bytes);
      const auto bytes = side.accept(piece);
      must(bytes.has_value());
      out.insert(out.end(), bytes->begin(), bytes->end());
    }
  }
  must(filter.ended() == side.complete());
  must(out.size() <= stream.size());
  must(std::equal(out.begin(), out.end(), stream.begin()));
  if (filter.ended()) {
    must(out.size() + 8 == stream.size());
  }
  return 0;
}
