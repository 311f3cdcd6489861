// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/opening_test.cpp: what a destination sends to a teleport and to a
// seed alike.

#include "xl-teleport/source/opening.hpp"

#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

TEST_CASE("a destination's record without a body is refused with one",
          "[source]") {
  std::vector<offered_target> targets;
  for (const record_row& row : record_rows) {
    if (row.kind == record_kind::empty &&
        row.by == record_sender::destination) {
      CAPTURE(row.name);
      CHECK(read_setup({row.type, {}}, "host2", targets));
      const auto read =
          read_setup({row.type, byte_buffer(1)}, "host2", targets);
      REQUIRE_FALSE(read);
      CHECK(read.error().code == errc::protocol);
    }
  }
}

}  // namespace teleport
