// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/oom_shield.hpp"

#include <fstream>

namespace teleport {

void give_up_oom_shield(const std::string& file) {
  int adjustment = 0;
  std::ifstream(file) >> adjustment;
  if (adjustment < 0) {
    std::ofstream(file) << 0;
  }
}

}  // namespace teleport
