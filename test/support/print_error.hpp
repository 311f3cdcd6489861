// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/print_error.hpp: lets Catch2 show why a result<T> failed.
// Include it before using REQUIRE(some_result).

#ifndef TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP
#define TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "test/support/catch.hpp"

namespace Catch {

template <class T>
struct StringMaker<teleport::result<T>> {
  static std::string convert(const teleport::result<T>& outcome) {
    if (outcome) {
      return "a value";
    }
    const teleport::error cause = outcome.error();
    return std::string(teleport::name_of(cause.code)) + ": " + cause.context;
  }
};

}  // namespace Catch

#endif  // TELEPORT_TEST_SUPPORT_PRINT_ERROR_HPP
