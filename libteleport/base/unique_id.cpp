// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/unique_id.hpp"

#include <algorithm>
#include <charconv>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/random.hpp"

namespace teleport {

result<unique_id> unique_id::make() {
  unique_id made;
  const auto filled = fill_with_random(made.bytes);
  if (!filled) {
    return filled.error();
  }
  return made;
}

std::optional<unique_id> unique_id::parse(std::string_view text) {
  unique_id read;
  if (text.size() != 2 * read.bytes.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < read.bytes.size(); ++i) {
    unsigned value = 0;
    const char* const first = text.data() + 2 * i;
    const auto [end, failed] = std::from_chars(first, first + 2, value, 16);
    if (failed != std::errc() || end != first + 2) {
      return std::nullopt;
    }
    read.bytes[i] = static_cast<std::byte>(value);
  }
  return read.text() == text ? std::optional(read) : std::nullopt;
}

std::string unique_id::text() const {
  return to_hex(bytes);
}

void write_id(byte_writer& out, const unique_id& id) {
  out.bytes(id.bytes);
}

unique_id read_id(byte_reader& in) {
  unique_id read;
  const byte_span raw = in.take(read.bytes.size());
  std::ranges::copy(raw, read.bytes.begin());
  return read;
}

}  // namespace teleport
