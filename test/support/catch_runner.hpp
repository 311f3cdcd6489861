// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/catch_runner.hpp: what our own main and listener need of Catch2,
// by the same names for its versions 2 and 3. Tests include catch.hpp.

#ifndef TELEPORT_TEST_SUPPORT_CATCH_RUNNER_HPP
#define TELEPORT_TEST_SUPPORT_CATCH_RUNNER_HPP

#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_case_info.hpp>
#include <catch2/interfaces/catch_interfaces_capture.hpp>
#include <catch2/interfaces/catch_interfaces_testcase.hpp>
#include <catch2/internal/catch_clara.hpp>
#include <catch2/internal/catch_test_case_registry_impl.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

namespace teleport::test {

namespace command_line = Catch::Clara;
using listener_base = Catch::EventListenerBase;

[[nodiscard]] inline const Catch::TestCaseInfo& info_of(
    const Catch::TestCaseStats& stats) {
  return *stats.testInfo;
}
[[nodiscard]] inline const Catch::TestCaseInfo& info_of(
    const Catch::TestCaseHandle& test) {
  return test.getTestCaseInfo();
}
/// @return whether listing or help was asked for, and no run
[[nodiscard]] inline bool runs_nothing(const Catch::ConfigData& asked) {
  return asked.listTests || asked.listTags || asked.listReporters ||
         asked.listListeners || asked.showHelp || asked.libIdentify;
}

}  // namespace teleport::test
#else
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>

namespace teleport::test {

using listener_base = Catch::TestEventListenerBase;

[[nodiscard]] inline const Catch::TestCaseInfo& info_of(
    const Catch::TestCaseStats& stats) {
  return stats.testInfo;
}
[[nodiscard]] inline const Catch::TestCaseInfo& info_of(
    const Catch::TestCase& test) {
  return test;
}
#ifdef CATCH_CONFIG_RUNNER
namespace command_line = Catch::clara;

[[nodiscard]] inline bool runs_nothing(const Catch::ConfigData& asked) {
  return asked.listTests || asked.listTags || asked.listReporters ||
         asked.listTestNamesOnly || asked.showHelp || asked.libIdentify;
}
#endif

}  // namespace teleport::test
#endif

namespace teleport::test {

/// Of the test that runs now.
[[nodiscard]] inline std::string current_test_name() {
  return std::string(Catch::getResultCapture().getCurrentTestName());
}

}  // namespace teleport::test

#endif  // TELEPORT_TEST_SUPPORT_CATCH_RUNNER_HPP
