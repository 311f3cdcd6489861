// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/write_rest.hpp"

#include <thread>

namespace teleport {

result<void> wait_until_no_write_in_flight(
    const std::function<result<bool>()>& idle, write_rest_terms terms) {
  const auto deadline = std::chrono::steady_clock::now() + terms.limit;
  for (;;) {
    const auto now_idle = idle();
    if (!now_idle) {
      return now_idle.error();
    }
    if (*now_idle) {
      return {};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return error(errc::timeout, "writes stay in flight after suspension");
    }
    std::this_thread::sleep_for(terms.poll);
  }
}

}  // namespace teleport
