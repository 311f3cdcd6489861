// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/skip.hpp: tests that cannot run on this machine. They are
// counted apart and named at the end of a run: a skip is no pass.
//
//   if (!can_use_loop_devices()) {  // which calls skip_test()
//     return;
//   }

#ifndef TEST_SUPPORT_SKIP_HPP
#define TEST_SUPPORT_SKIP_HPP

#include <map>
#include <string>

namespace teleport::test {

/// The test that runs now is skipped, in part or as a whole. To be called by
/// the test's own process.
/// @param reason  what is missing; the same words for the same thing
void skip_test(const std::string& reason);

/// Of this run: the reason by the test's name.
[[nodiscard]] const std::map<std::string, std::string>& skipped_tests();

}  // namespace teleport::test

#endif  // TEST_SUPPORT_SKIP_HPP
