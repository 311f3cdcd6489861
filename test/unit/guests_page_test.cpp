// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/guests_page_test.cpp: xl-teleport-guests(7) says of every member of
// a guest's configuration what becomes of it, and the rules say the same.
//
// `XL_TELEPORT_WRITE_TABLES=1 build/test/unit-tests '[guests_page]'` writes it
// into the page, where the change is to be read before it is committed.

#include "test/support/guests_page.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("the page of guests says what becomes of every member",
          "[config][guests_page]") {
  constexpr const char* path = "xl-teleport/xl-teleport-guests.7.pod";
  std::ostringstream page;
  page << std::ifstream(path).rdbuf();
  REQUIRE_FALSE(members_in(page.str()).empty());
  if (std::getenv("XL_TELEPORT_WRITE_TABLES") != nullptr) {
    std::ofstream(path) << with_members(page.str());
    FAIL("the members were written, not compared");
  }
  CHECK(members_in(page.str()) == members_by_rule());
}

}  // namespace teleport
