// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/boot_id.hpp"

#include <fstream>

namespace teleport {

std::string this_boot(const std::string& file) {
  std::ifstream in(file);
  std::string id;
  in >> id;
  return id;
}

}  // namespace teleport
