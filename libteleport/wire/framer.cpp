// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/framer.hpp"

#include <cassert>
#include <cstdint>

#include <fmt/format.h>

namespace teleport {

byte_buffer frame(record_type type, byte_span body) {
  assert(body.size() <= max_record_bytes);
  byte_writer out;
  out.number(static_cast<std::uint32_t>(body.size()));
  out.number(static_cast<std::uint16_t>(type));
  out.number(std::uint16_t{0});
  out.bytes(body);
  return std::move(out).take();
}

void framer::feed(byte_span bytes) {
  // Move what is left to the front only when the dead part outgrows it, so
  // that each byte is moved at most once on average.
  if (read_ > buffer_.size() - read_) {
    buffer_.erase(buffer_.begin(),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(read_));
    read_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

result<std::optional<raw_record>> framer::next() {
  const byte_span rest = byte_span(buffer_).subspan(read_);
  if (rest.size() < record_header_bytes) {
    return std::optional<raw_record>();
  }
  byte_reader header(rest.first(record_header_bytes));
  const auto length = header.number<std::uint32_t>();
  const auto type = header.number<std::uint16_t>();
  const auto reserved = header.number<std::uint16_t>();
  if (length > longest_) {
    return error(
        errc::protocol,
        fmt::format(
            "a record of {} bytes is above the limit of {}", length, longest_));
  }
  if (!is_known(type) || reserved != 0) {
    return error(
        errc::protocol,
        fmt::format("unknown record type {} (reserved {})", type, reserved));
  }
  if (rest.size() - record_header_bytes < length) {
    return std::optional<raw_record>();
  }
  const byte_span body = rest.subspan(record_header_bytes, length);
  read_ += record_header_bytes + length;
  raw_record record;
  record.type = static_cast<record_type>(type);
  record.body.assign(body.begin(), body.end());
  return std::optional<raw_record>(std::move(record));
}

}  // namespace teleport
