// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_stream_rebuild.cpp: any pieces from a hostile source. None may
// bring END out, and only what is proven may count as complete.
//
// Input: pieces of u8 kind, u32 length, body; kind 0x83 is an `end` piece
// whose body is made here to be right, so that the fuzzer gets past SHA-256.

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

// The body of the `end` piece that proves `bytes` and END.
byte_buffer right_end(const byte_buffer& bytes) {
  byte_buffer stream = bytes;
  stream.resize(stream.size() + xen_stream::end_record.size());
  byte_writer body;
  body.number(std::uint64_t{stream.size()});
  body.bytes(digest_extent(stream));
  return std::move(body).take();
}

// Whether libxl, reading `bytes`, would have come to END.
bool has_end(byte_span bytes) {
  stream_parser parser;
  while (!bytes.empty() && !parser.ended()) {
    if (!parser.next(bytes).has_value()) {
      return false;
    }
  }
  return parser.ended();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  byte_reader in(std::as_bytes(std::span(data, size)));
  stream_rebuild side;
  byte_buffer out;
  bool failed = false;
  while (!in.done()) {
    const auto kind = in.number<std::uint8_t>();
    const byte_span body = in.counted(size);
    if (!in.ok()) {
      break;
    }
    coded_piece piece{static_cast<coded_piece::kind>(kind),
                      byte_buffer(body.begin(), body.end())};
    if (kind == 0x83) {
      piece = {coded_piece::kind::end, right_end(out)};
    }
    const auto bytes = side.accept(std::move(piece));
    must(!(failed && bytes.has_value()));
    failed = !bytes.has_value();
    if (bytes) {
      out.insert(out.end(), bytes->begin(), bytes->end());
    }
  }
  must(!(failed && side.complete()));
  must(!has_end(out));
  must(side.bytes_out() == out.size());
  if (side.complete()) {
    out.resize(out.size() + xen_stream::end_record.size());
    must(has_end(out));
  }
  return 0;
}
