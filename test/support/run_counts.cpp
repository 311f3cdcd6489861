// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/run_counts.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "test/support/catch_runner.hpp"
#include "test/support/skip.hpp"

namespace teleport::test {

namespace {

run_counts& counted() {
  static run_counts of_this_run;
  return of_this_run;
}

class count_listener : public listener_base {
 public:
  using listener_base::listener_base;

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    run_counts& counts = counted();
    const std::string& name = info_of(stats).name;
    if (!stats.totals.assertions.allOk()) {
      ++counts.failed;
    } else if (skipped_tests().contains(name)) {
      ++counts.skipped;
    } else if (stats.totals.assertions.total() == 0) {
      ++counts.failed;
      counts.hollow.push_back(name);
    } else {
      ++counts.passed;
    }
  }
};

CATCH_REGISTER_LISTENER(count_listener)

}  // namespace

const run_counts& counts_of_run() {
  return counted();
}

void print_counts(const run_counts& counts) {
  for (const auto& [name, reason] : skipped_tests()) {
    std::cout << "skipped: " << name << ": " << reason << '\n';
  }
  for (const std::string& name : counts.hollow) {
    std::cout << "FAIL " << name << ": it checks nothing\n";
  }
  if (counts.passed + counts.failed == 0) {
    std::cout << "FAIL nothing ran\n";
  }
  std::cout << "unit: " << counts.passed << " passed, " << counts.failed
            << " failed, " << counts.skipped << " skipped\n"
            << std::flush;
  if (const char* file = std::getenv("TEST_COUNTS")) {
    std::ofstream(file) << counts.passed << ' ' << counts.failed << ' '
                        << counts.skipped << '\n';
  }
}

int exit_code_of(const run_counts& counts, int of_catch) {
  const bool fine = counts.failed == 0 && counts.passed != 0;
  return of_catch == 0 && !fine ? 1 : of_catch;
}

}  // namespace teleport::test
