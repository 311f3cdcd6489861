// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/exit_code.hpp: what every program of ours exits with when
// no guest is in question; xl-teleport(1) has those that say where one runs.

#ifndef XL_TELEPORT_SETUP_EXIT_CODE_HPP
#define XL_TELEPORT_SETUP_EXIT_CODE_HPP

namespace teleport {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
/// Wrong usage: nothing was done.
inline constexpr int exit_usage = 2;

/// @param of_parser  CLI11's own exit code for what it did not parse: 0 after
///                   --help and --version
[[nodiscard]] constexpr int exit_of_parser(int of_parser) noexcept {
  return of_parser == 0 ? exit_ok : exit_usage;
}

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_EXIT_CODE_HPP
