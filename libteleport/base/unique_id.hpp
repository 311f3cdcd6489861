// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/unique_id.hpp: 128 random bits that name one thing for ever:
// an index, the life of a tracker. Two of them are equal only by copying.
//
// Threads: any. Blocks: make() only in the first seconds after a boot.

#ifndef LIBTELEPORT_BASE_UNIQUE_ID_HPP
#define LIBTELEPORT_BASE_UNIQUE_ID_HPP

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

struct unique_id {
  std::array<std::byte, 16> bytes{};  ///< all zero: names nothing

  /// @error errc::system when the kernel gives no random bytes
  [[nodiscard]] static result<unique_id> make();
  /// @param text  32 lower-case hexadecimal digits, as text() writes them
  [[nodiscard]] static std::optional<unique_id> parse(std::string_view text);

  [[nodiscard]] bool is_set() const noexcept { return *this != unique_id(); }
  [[nodiscard]] std::string text() const;

  friend bool operator==(const unique_id&, const unique_id&) = default;
};

void write_id(byte_writer& out, const unique_id& id);
[[nodiscard]] unique_id read_id(byte_reader& in);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_UNIQUE_ID_HPP
