// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/random.hpp"

#include <cassert>
#include <cerrno>

#include <sys/random.h>

namespace teleport {

result<void> fill_with_random(std::span<std::byte> out) {
  assert(out.size() <= 256);
  ssize_t got = 0;
  do {
    got = ::getrandom(out.data(), out.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(out.size())) {
    return system_error(errno, "random bytes");
  }
  return {};
}

}  // namespace teleport
