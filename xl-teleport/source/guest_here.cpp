// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/guest_here.hpp"

#include <algorithm>
#include <memory>
#include <thread>

#include "libteleport/base/log.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "libteleport/xen/xenstore.hpp"
#include "libteleport/xen/xl_monitor.hpp"

namespace teleport {

namespace {

/// Between two looks for a guest that reboots.
constexpr std::chrono::milliseconds reboot_poll{200};

/// From a guest's reading of the request to its suspension, and between two
/// looks for that. The guest runs meanwhile.
constexpr std::chrono::seconds suspension_limit{5};
constexpr std::chrono::milliseconds suspension_poll{50};

/// Of several domains the one that counts: most alive, which is the order of
/// guest_state, and of those the newest.
bool counts_less(const guest_seen& one, const guest_seen& other) {
  return one.state != other.state ? one.state > other.state
                                  : one.domid < other.domid;
}

result<guest_sight> glance(toolstack& xen, const std::string& uuid) {
  const auto found = xen.find_by_uuid(uuid);
  if (!found) {
    return found.error();
  }
  guest_sight now;
  const auto best = std::ranges::max_element(*found, counts_less);
  if (best != found->end()) {
    now.state = best->state;
    now.domid = best->domid;
  }
  return now;
}

/// libxl's save was given up. A guest that has read its request suspends itself
/// all the same, within moments; a request that it has not read is withdrawn.
result<guest_sight> wait_for_suspension(const departure& plan) {
  auto store = xenstore::open();
  const bool withdrawn =
      store && store->replace("/local/domain/" + std::to_string(plan.domid) +
                                  "/control/shutdown",
                              "suspend",
                              "");
  const auto deadline = std::chrono::steady_clock::now() + suspension_limit;
  for (;;) {
    auto now = glance_at_guest(plan.uuid);
    const bool may_suspend = now && now->domid == plan.domid &&
                             now->state == guest_state::running && !withdrawn;
    if (!may_suspend || std::chrono::steady_clock::now() >= deadline) {
      return now;
    }
    std::this_thread::sleep_for(suspension_poll);
  }
}

}  // namespace

result<guest_sight> glance_at_guest(const std::string& uuid) {
  const auto xen = toolstack::open();
  return xen ? glance(**xen, uuid) : result<guest_sight>(xen.error());
}

result<guest_sight> look_again(const std::string& uuid) {
  const auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  auto now = glance(**xen, uuid);
  if (!now || has_ended(now->state)) {
    return now;
  }
  auto guest = (*xen)->describe(std::to_string(now->domid));
  if (!guest) {
    // It may have ended since: then that is what there is to tell.
    const auto still = glance(**xen, uuid);
    return still && still->domid != now->domid ? still : guest.error();
  }
  now->guest = std::move(*guest);
  return now;
}

result<guest_sight> look_before_save(const std::string& uuid) {
  auto now = look_again(uuid);
  if (now && now->state == guest_state::running && !stop_monitor(now->domid)) {
    log_debug("the guest has no monitor of xl's");
  }
  return now;
}

result<std::string> wait_for_guest(const std::string& uuid,
                                   std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto now = glance_at_guest(uuid);
    if (!now) {
      return now.error();
    }
    if (!has_ended(now->state)) {
      return std::to_string(now->domid);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return error(errc::not_found, "no guest of this uuid is here");
    }
    std::this_thread::sleep_for(reboot_poll);
  }
}

result<guest_state> let_stay(const departure& plan, bool ours) {
  auto now = ours ? wait_for_suspension(plan) : glance_at_guest(plan.uuid);
  if (now && ours && now->state == guest_state::suspended) {
    const auto resumed = resume_here(plan);
    now = resumed ? glance_at_guest(plan.uuid)
                  : result<guest_sight>(resumed.error());
  }
  if (!now) {
    return now.error();
  }
  (void)continue_monitor(plan.domid);
  return now->state;
}

}  // namespace teleport
