// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <string>
#include <utility>

#include "libteleport/stream/stream_filter.hpp"

namespace teleport {

result<byte_buffer> stream_rebuild::accept(coded_piece piece) {
  if (failure_) {
    return *failure_;
  }
  auto bytes = rebuild(std::move(piece));
  if (!bytes) {
    failure_ = bytes.error();
    complete_ = false;
  }
  return bytes;
}

result<byte_buffer> stream_rebuild::rebuild(coded_piece piece) {
  if (complete_) {
    return error(errc::protocol, "a piece of the stream after its end");
  }
  byte_buffer bytes;
  switch (piece.type) {
    case coded_piece::kind::raw:
      if (piece.body.empty() || piece.body.size() > max_raw_piece) {
        return error(errc::protocol,
                     "a raw piece of " + std::to_string(piece.body.size()) +
                         " bytes, 1 to " + std::to_string(max_raw_piece) +
                         " may be");
      }
      bytes = std::move(piece.body);
      break;
    case coded_piece::kind::pages: {
      if (piece.body.size() > max_piece_bytes) {
        return error(errc::protocol,
                     "a pages piece of " + std::to_string(piece.body.size()) +
                         " bytes, above " + std::to_string(max_piece_bytes));
      }
      auto record = decoder_.decode(piece.body);
      if (!record) {
        return record.error();
      }
      bytes = *std::move(record);
      break;
    }
    case coded_piece::kind::end: {
      const auto proven = prove_end(piece.body);
      if (!proven) {
        return proven.error();
      }
      complete_ = true;
      return byte_buffer{};
    }
    default:
      return error(errc::protocol,
                   "a piece of the stream of kind " +
                       std::to_string(static_cast<unsigned>(piece.type)));
  }
  const auto walked = walk(bytes);
  if (!walked) {
    return walked.error();
  }
  if (parser_.ended()) {
    // An END record here would make libxl open the disks before the gate opens.
    return error(errc::protocol, "the stream's END inside a piece");
  }
  bytes_out_ += bytes.size();
  return bytes;
}

result<void> stream_rebuild::walk(byte_span bytes) {
  hash_.update(bytes);
  while (!bytes.empty()) {
    const auto found = parser_.next(bytes);
    if (!found) {
      return found.error();
    }
  }
  return {};
}

result<void> stream_rebuild::prove_end(byte_span body) {
  byte_reader in(body);
  const auto length = in.number<std::uint64_t>();
  const byte_span digest = in.take(extent_digest{}.size());
  if (!in.done()) {
    return error(
        errc::protocol,
        "an end piece of " + std::to_string(body.size()) + " bytes, not 40");
  }
  const auto walked = walk(xen_stream::end_record);
  if (!walked) {
    return walked.error();
  }
  if (!parser_.ended()) {
    return error(errc::protocol, "the stream's end inside a record");
  }
  const std::uint64_t total = bytes_out_ + xen_stream::end_record.size();
  if (length != total) {
    return error(errc::mismatch,
                 "the guest's stream has " + std::to_string(total) +
                     " bytes, the source's had " + std::to_string(length));
  }
  const extent_digest own = hash_.finish();
  if (!std::equal(own.begin(), own.end(), digest.begin(), digest.end())) {
    return error(errc::mismatch,
                 "the guest's stream has SHA-256 " + to_hex(own) +
                     ", the source's had " + to_hex(digest));
  }
  return {};
}

}  // namespace teleport
