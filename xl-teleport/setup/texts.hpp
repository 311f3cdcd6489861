// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/texts.hpp: numbers as people read them, one way for all
// programs.

#ifndef XL_TELEPORT_SETUP_TEXTS_HPP
#define XL_TELEPORT_SETUP_TEXTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace teleport {

/// "1.5 MiB", "512 B": the largest binary unit of which there is one.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
/// Bytes: "64 GiB", "512MiB" or a plain number; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> read_bytes(std::string_view text);
/// Seconds as "0:00:07", "15:05:21".
[[nodiscard]] std::string clock_text(double seconds);
/// "2026-11-28T03:04:05Z", of seconds since 1970.
[[nodiscard]] std::string utc_text(std::int64_t when);
/// Percent; 0 of nothing.
[[nodiscard]] double percent_of(std::uint64_t part, std::uint64_t whole);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_TEXTS_HPP
