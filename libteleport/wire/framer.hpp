// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/framer.hpp: bytes from a peer in, whole records out.
//
// Fed whatever a socket returned; no I/O, no time. PROTOCOL.md, section 2.
//
// Threads: one owner.
// Trust:   input is hostile: a length is checked before it is believed.

#ifndef LIBTELEPORT_WIRE_FRAMER_HPP
#define LIBTELEPORT_WIRE_FRAMER_HPP

#include <cstddef>
#include <optional>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// A record as it came: its body is decoded by record.hpp.
struct raw_record {
  record_type type{};
  byte_buffer body;
};

/// The record's header and body as one run of bytes.
/// @pre body.size() <= max_record_bytes
[[nodiscard]] byte_buffer frame(record_type type, byte_span body);

class framer {
 public:
  /// @param longest  bytes of a body
  explicit framer(std::size_t longest = max_record_bytes) : longest_(longest) {}

  /// Adds bytes of any number to what is buffered.
  void feed(byte_span bytes);

  /// The next whole record.
  ///
  /// @return nullopt when more bytes are needed
  /// @error errc::protocol on a length above the limit, an unknown type or a
  ///        reserved field that is not 0; the connection must be closed
  [[nodiscard]] result<std::optional<raw_record>> next();

 private:
  std::size_t longest_;
  byte_buffer buffer_;
  std::size_t read_ = 0;  // invariant: read_ <= buffer_.size()
};

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_FRAMER_HPP
