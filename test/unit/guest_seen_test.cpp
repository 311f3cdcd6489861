// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/guest_seen_test.cpp: a guest that arrives where it came from is
// there twice: its state is that of the copy that is most alive.

#include "libteleport/xen/guest_seen.hpp"

#include <array>
#include <cstddef>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

guest_seen seen(std::uint32_t domid, const char* uuid, guest_state state) {
  return {domid, "web1", state, uuid, 1024};
}

}  // namespace

TEST_CASE("of several copies of a guest the most alive one counts", "[xen]") {
  constexpr std::array order{guest_state::dying,
                             guest_state::shut_down,
                             guest_state::suspended,
                             guest_state::paused,
                             guest_state::running};
  CHECK(most_alive({}) == guest_state::absent);
  for (std::size_t less = 0; less < order.size(); ++less) {
    for (std::size_t more = less; more < order.size(); ++more) {
      CHECK(most_alive({seen(1, "a", order.at(less)),
                        seen(2, "a", order.at(more))}) == order.at(more));
      CHECK(most_alive({seen(1, "a", order.at(more)),
                        seen(2, "a", order.at(less))}) == order.at(more));
    }
  }
}

TEST_CASE("a guest that ends is told from one that others may let run",
          "[xen]") {
  for (const auto state :
       {guest_state::shut_down, guest_state::dying, guest_state::absent}) {
    CHECK(has_ended(state));
  }
  for (const auto state :
       {guest_state::running, guest_state::paused, guest_state::suspended}) {
    CHECK_FALSE(has_ended(state));
  }
}

TEST_CASE("another guest of the same name is not found by the uuid", "[xen]") {
  const auto found = with_uuid({seen(1, "a", guest_state::running),
                                seen(2, "b", guest_state::running),
                                seen(3, "a", guest_state::paused)},
                               "a");
  REQUIRE(found.size() == 2);
  CHECK(found[0].domid == 1);
  CHECK(found[1].domid == 3);
}

}  // namespace teleport
