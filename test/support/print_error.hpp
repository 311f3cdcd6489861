// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/print_error.hpp: lets Catch2 show why a result<T> failed.
// Include it before using REQUIRE(some_result).

#ifndef TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP
#define TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP

#include <ostream>

#include "libteleport/base/error.hpp"

namespace teleport {

inline std::ostream& operator<<(std::ostream& out, const error& cause) {
  return out << name_of(cause.code) << ": " << cause.context;
}

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP
