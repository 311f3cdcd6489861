// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/catch.hpp: Catch2 as every test includes it, of the version that
// this machine has. Version 2 (Debian 12) is one header; version 3 (Debian 13)
// is a library, which the Makefile links by what pkg-config says.
//
// What else differs between the two: catch_runner.hpp.

#ifndef TELEPORT_TEST_SUPPORT_CATCH_HPP
#define TELEPORT_TEST_SUPPORT_CATCH_HPP

#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace teleport::test {

/// Matches text that has `part` in it: CHECK_THAT(said, contains_text("no")).
/// In Catch2's version 3 `Contains` is a matcher of ranges.
[[nodiscard]] inline auto contains_text(const std::string& part) {
#if __has_include(<catch2/catch_test_macros.hpp>)
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

}  // namespace teleport::test

#endif  // TELEPORT_TEST_SUPPORT_CATCH_HPP
