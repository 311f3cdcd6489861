// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xl_assignments.hpp: xl's configuration language (xl.cfg(5)),
// read into its assignments. Text in, values out: nothing is run or looked up.
//
// Threads: pure functions.
// Trust:   the text may come from a peer. Depth and number of values are
//          bounded; what xl's own parser refuses is refused.

#ifndef LIBTELEPORT_XEN_XL_ASSIGNMENTS_HPP
#define LIBTELEPORT_XEN_XL_ASSIGNMENTS_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// A value of xl.cfg(5).
struct xl_value {
  enum class kind : std::uint8_t { string, number, list };
  kind is = kind::string;
  /// Of a string, without quotes and escapes; of a number, its digits.
  std::string text{};
  std::vector<xl_value> entries{};

  friend bool operator==(const xl_value&, const xl_value&) = default;
};

struct xl_assignment {
  std::string key;  ///< [a-z][_0-9a-z]*
  xl_value value;
};

/// Each key once, with the value that xl ends up with: the last that is
/// assigned, with what '+=' adds to it. In the order of first assignment.
///
/// @error errc::bad_input with the line's number
[[nodiscard]] result<std::vector<xl_assignment>> read_xl_assignments(
    std::string_view text);

/// The text in quotes, as a value of xl.cfg(5).
///
/// @pre no control characters
[[nodiscard]] std::string xl_quoted(std::string_view text);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_XL_ASSIGNMENTS_HPP
