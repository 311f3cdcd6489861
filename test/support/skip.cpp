// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/skip.hpp"

#include "test/support/catch_runner.hpp"

namespace teleport::test {

namespace {

std::map<std::string, std::string>& reasons() {
  static std::map<std::string, std::string> of_this_run;
  return of_this_run;
}

}  // namespace

void skip_test(const std::string& reason) {
  reasons()[current_test_name()] = reason;
}

const std::map<std::string, std::string>& skipped_tests() {
  return reasons();
}

}  // namespace teleport::test
