// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/by_hand_test.cpp: a person's word counts when it was typed whole,
// or said beforehand.

#include "xl-teleport/by_hand.hpp"

#include <sstream>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

struct asked {
  bool yes = false;
  bool terminal = true;
  std::string typed{};
};

bool confirmed(const asked& how) {
  std::istringstream in(how.typed);
  std::ostringstream out;
  const bool is =
      is_confirmed("look", "web1 runs here", how.yes, how.terminal, in, out);
  CHECK(out.str().find("look") != std::string::npos);
  return is;
}

}  // namespace

TEST_CASE("a decision is typed whole", "[by_hand]") {
  CHECK(confirmed({.typed = "web1 runs here\n"}));
  CHECK_FALSE(confirmed({.typed = "y\n"}));
  CHECK_FALSE(confirmed({.typed = "web1 runs there\n"}));
  CHECK_FALSE(confirmed({.typed = ""}));
}

TEST_CASE("nobody is asked where nobody can answer", "[by_hand]") {
  CHECK_FALSE(confirmed({.terminal = false, .typed = "web1 runs here\n"}));
  CHECK(confirmed({.yes = true, .terminal = false}));
}

}  // namespace teleport
