// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/main.cpp: Catch2 and the program's beginning and end, and nothing
// else (version 2 of it takes long to compile).
//
//   unit-tests [FILTER]                 runs what FILTER picks
//   unit-tests [FILTER] --list-names    prints their names alone, one a line;
//                                       versions of Catch2 differ in theirs

#define CATCH_CONFIG_RUNNER
#include <iostream>

#include "test/support/catch_runner.hpp"
#include "test/support/run_counts.hpp"

namespace {

using teleport::test::info_of;

/// A test that only a filter starts is started by the wrong one some day:
/// what is no test belongs into test/programs.
bool has_hidden_test(Catch::Session& session) {
  for (const auto& test : Catch::getAllTestCasesSorted(session.config())) {
    if (info_of(test).isHidden()) {
      std::cout << "FAIL hidden test: " << info_of(test).name << '\n';
      return true;
    }
  }
  return false;
}

void list_names(Catch::Session& session) {
  const auto& all = Catch::getAllTestCasesSorted(session.config());
  for (const auto& test :
       Catch::filterTests(all, session.config().testSpec(), session.config())) {
    std::cout << info_of(test).name << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  namespace command_line = teleport::test::command_line;
  Catch::Session session;
  bool names_alone = false;
  session.cli(session.cli() | command_line::Opt(names_alone)["--list-names"](
                                  "the names of the tests alone, one a line"));
  const int misused = session.applyCommandLine(argc, argv);
  if (misused != 0) {
    return misused;
  }
  const bool lists = teleport::test::runs_nothing(session.configData());
  if (has_hidden_test(session)) {
    return 1;
  }
  if (names_alone) {
    list_names(session);
    return 0;
  }
  const int done = session.run();
  if (lists) {
    return 0;
  }
  const auto& counts = teleport::test::counts_of_run();
  teleport::test::print_counts(counts);
  return teleport::test::exit_code_of(counts, done);
}
