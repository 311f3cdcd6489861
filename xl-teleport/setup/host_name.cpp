// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/host_name.hpp"

#include <array>

#include <unistd.h>

namespace teleport {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return "localhost";
  }
  return name.data();
}

}  // namespace teleport
