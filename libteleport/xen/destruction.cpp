// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/destruction.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

/// Xen keeps a domain that is destroyed for as long as a backend maps its
/// memory; xenstore has no event for its end.
constexpr std::chrono::seconds end_limit{20};
constexpr std::chrono::milliseconds end_poll{50};
constexpr std::chrono::milliseconds second_look{200};

result<std::vector<std::uint32_t>> dying_of(toolstack& xen,
                                            const std::string& uuid) {
  const auto found = xen.find_by_uuid(uuid);
  if (!found) {
    return found.error();
  }
  std::vector<std::uint32_t> domids;
  for (const guest_seen& one : *found) {
    if (one.state == guest_state::dying) {
      domids.push_back(one.domid);
    }
  }
  return domids;
}

}  // namespace

result<void> destroy_to_the_end(toolstack& xen, std::uint32_t domid) {
  const auto destroyed = xen.destroy(domid);
  const auto deadline = std::chrono::steady_clock::now() + end_limit;
  for (;;) {
    const auto now = xen.state(domid);
    if (!now) {
      return now.error();
    }
    // It may have ended before, or by another's doing.
    if (*now == guest_state::absent) {
      return {};
    }
    if (!destroyed) {
      return destroyed;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return error(errc::busy,
                   fmt::format("domain {} was destroyed, and Xen has it still: "
                               "a backend may have its disks open",
                               domid));
    }
    std::this_thread::sleep_for(end_poll);
  }
}

result<void> finish_destructions(toolstack& xen, const std::string& uuid) {
  const auto before = dying_of(xen, uuid);
  if (!before || before->empty()) {
    return before ? result<void>() : result<void>(before.error());
  }
  // A domain that another program builds may look so for a moment.
  std::this_thread::sleep_for(second_look);
  const auto found = dying_of(xen, uuid);
  if (!found) {
    return found.error();
  }
  for (const std::uint32_t domid : *found) {
    if (std::ranges::find(*before, domid) == before->end()) {
      continue;
    }
    log_warning(fmt::format(
        "domain {} was left half destroyed: it is destroyed", domid));
    if (auto done = destroy_to_the_end(xen, domid); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace teleport
