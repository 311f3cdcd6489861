// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/own_process_test.cpp: what teleportd's own processes give up of
// what the daemon has.

#include <fstream>
#include <string>

#include "libteleport/base/oom_shield.hpp"
#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("what a session makes large is not spared when memory is short",
          "[teleportd]") {
  const temp_folder folder;
  const std::string file = folder.path() + "/oom_score_adj";
  const auto after = [&](int before) {
    std::ofstream(file) << before << '\n';
    give_up_oom_shield(file);
    int adjustment = 12345;
    std::ifstream(file) >> adjustment;
    return adjustment;
  };
  CHECK(after(-500) == 0);
  CHECK(after(0) == 0);
  // An administrator may have the daemon end first.
  CHECK(after(300) == 300);
}

}  // namespace teleport
