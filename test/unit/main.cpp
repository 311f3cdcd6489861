// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/main.cpp: Catch2 and the program's beginning and end, and nothing
// else (it takes long to compile).

#include <iostream>

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "test/support/run_counts.hpp"

namespace {

/// A test that only a filter starts is started by the wrong one some day:
/// what is no test belongs into test/programs.
bool has_hidden_test(Catch::Session& session) {
  for (const auto& test : Catch::getAllTestCasesSorted(session.config())) {
    if (test.isHidden()) {
      std::cout << "FAIL hidden test: " << test.name << '\n';
      return true;
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  const int misused = session.applyCommandLine(argc, argv);
  if (misused != 0) {
    return misused;
  }
  const Catch::ConfigData& asked = session.configData();
  const bool lists = asked.listTests || asked.listTags || asked.listReporters ||
                     asked.listTestNamesOnly || asked.showHelp ||
                     asked.libIdentify;
  if (has_hidden_test(session)) {
    return 1;
  }
  const int done = session.run();
  if (lists) {
    return 0;
  }
  const auto& counts = teleport::test::counts_of_run();
  teleport::test::print_counts(counts);
  return teleport::test::exit_code_of(counts, done);
}
