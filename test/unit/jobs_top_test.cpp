// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/jobs_top_test.cpp: a screen of lines, however small it is.

#include "tools/teleportctl/jobs_top.hpp"

#include <algorithm>

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("a screen has the lines that there is room for", "[jobs]") {
  const std::vector<std::string> lines{"one", "two", "three", "four"};
  const auto rows_of = [&](std::size_t rows) {
    const std::string text = screen_of(lines, 79, rows);
    return std::ranges::count(text, '\n');
  };
  CHECK(rows_of(24) == 4);
  CHECK(rows_of(5) == 4);
  CHECK(rows_of(4) == 3);
  CHECK(rows_of(1) == 1);
  const std::string all = screen_of(lines, 79, 24);
  CHECK(all.find("four") != std::string::npos);
  CHECK(all.find("more") == std::string::npos);
  const std::string some = screen_of(lines, 79, 4);
  CHECK(some.find("two") != std::string::npos);
  CHECK(some.find("three") == std::string::npos);
  CHECK(some.find("and 2 more") != std::string::npos);
}

TEST_CASE("a line of a screen is no longer than the screen is wide", "[jobs]") {
  const std::string text = screen_of({"abcdefgh"}, 4, 24);
  CHECK(text.find("abcd") != std::string::npos);
  CHECK(text.find("abcde") == std::string::npos);
}

}  // namespace teleport
