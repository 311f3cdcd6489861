// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/guests_page.hpp: what xl-teleport-guests(7) says of every member
// of a guest's configuration, made from the rules themselves.
//
// Threads: pure functions.

#ifndef TEST_SUPPORT_GUESTS_PAGE_HPP
#define TEST_SUPPORT_GUESTS_PAGE_HPP

#include <string>

namespace teleport {

/// POD: for each thing that is done with a member, the members with which it
/// is. Refused ones are named as xl.cfg(5) names them, the others by their
/// place in libxl's JSON.
[[nodiscard]] std::string members_by_rule();

/// The part of `page` that members_by_rule() made; "" where there is none.
[[nodiscard]] std::string members_in(const std::string& page);
/// `page` with that part replaced.
[[nodiscard]] std::string with_members(std::string page);

}  // namespace teleport

#endif  // TEST_SUPPORT_GUESTS_PAGE_HPP
