// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/run_counts.hpp: what became of the tests of a run. Its last
// line is "unit: N passed, N failed, N skipped"; above it stand the names of
// those that were skipped and of those that checked nothing, which have failed.

#ifndef TEST_SUPPORT_RUN_COUNTS_HPP
#define TEST_SUPPORT_RUN_COUNTS_HPP

#include <cstddef>
#include <string>
#include <vector>

namespace teleport::test {

struct run_counts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  /// Names of tests without an assertion. They are among `failed`.
  std::vector<std::string> hollow;
};

/// Of the run that is over; zeros where none was begun.
[[nodiscard]] const run_counts& counts_of_run();

/// Prints the end of a run's output.
void print_counts(const run_counts& counts);

/// @return the program's exit code: a run in which no test was tried has failed
[[nodiscard]] int exit_code_of(const run_counts& counts, int of_catch);

}  // namespace teleport::test

#endif  // TEST_SUPPORT_RUN_COUNTS_HPP
