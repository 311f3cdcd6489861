// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/destination_host.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/session/told_failure.hpp"
#include "libteleport/xen/guest_config.hpp"
#include "libteleport/xen/preflight.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/destination/kept_target.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/destination/store_mount.hpp"
#include "xl-teleport/destination/store_room.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/setup/hook_check.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/start_files.hpp"

namespace teleport {

namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

destination_facts look_around(const guest_info& guest,
                              const arrival_rules& rules) {
  destination_facts facts;
  facts.refused_members = unbuildable_members(guest.config_json, rules);
  for (const std::string& bridge : guest.bridges) {
    // A bridge's name comes from the peer: only a plain one becomes a path.
    const bool plain = bridge.find('/') == std::string::npos && bridge != "..";
    if (plain && exists("/sys/class/net/" + bridge + "/bridge")) {
      facts.bridges_present.push_back(bridge);
    }
  }
  for (const std::string& file : guest.boot_files) {
    // Whoever asks learns nothing of other files.
    if (may_boot_from(rules, file) && !exists(file)) {
      facts.missing_boot_files.push_back(file);
    }
  }
  return facts;
}

/// A problem whose sentence has this host's paths, which are told to hosts of
/// ours alone.
problem told_problem(std::string code,
                     const error& cause,
                     const known_peer& peer) {
  if (!peer.rights.is_limited()) {
    return {std::move(code), cause.context};
  }
  log_error(cause.context);
  return {std::move(code), told_of(cause)};
}

/// What a limited host asks for beyond its rights: nothing else is looked at
/// then, and told.
///
/// @return whether it may
bool check_rights(peer_deed deed,
                  const guest_info& guest,
                  const known_peer& peer,
                  answer& reply) {
  const auto may = peer.rights.check(deed, guest);
  if (!may) {
    log_warning(may.error().context);
    reply.problems.push_back({"peer_rights", may.error().context});
  }
  return may.has_value();
}

/// What a guest's disks would be, and whether they have room.
struct outlook {
  foreseen disks;
  store_room room;
};

result<outlook> look_for_space(const guest_info& guest,
                               const settings& options,
                               const known_peer& peer) {
  const auto store = open_mounted_store(options);
  if (!store) {
    return store.error();
  }
  const auto book = disk_book::open(options.kept_disks_path());
  if (!book) {
    return book.error();
  }
  const auto review = kept_review::look(options);
  if (!review) {
    return review.error();
  }
  auto seen = foresee(guest, *book, **store, *review, peer);
  if (!seen) {
    return seen.error();
  }
  auto room = look_at_room({guest, peer, *seen}, *book, **store, options);
  if (!room) {
    return room.error();
  }
  return outlook{std::move(*seen), std::move(*room)};
}

/// Says in the reply where the disks would go, and what stands against it.
void tell(const result<outlook>& seen, const known_peer& peer, answer& reply) {
  if (!seen) {
    reply.problems.push_back(
        told_problem("store_unusable", seen.error(), peer));
    return;
  }
  reply.disks = seen->disks.disks;
  std::ranges::copy(seen->disks.problems, std::back_inserter(reply.problems));
  std::ranges::copy(seen->room.problems(), std::back_inserter(reply.problems));
}

}  // namespace

result<answer> consider(const offer& offered,
                        const settings& options,
                        const known_peer& peer) {
  answer reply;
  reply.host = host_name();
  if (!check_rights(peer_deed::teleport_here, offered.guest, peer, reply)) {
    return reply;
  }
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto here = (*xen)->host();
  if (!here) {
    return here.error();
  }
  reply.problems =
      destination_problems(offered.guest,
                           offered.source,
                           *here,
                           look_around(offered.guest, options.arrivals));
  const auto startable =
      offered.start
          ? start_files().check_arrival(
                {offered.guest.name, offered.guest.uuid}, *offered.start, {})
          : result<void>();
  if (!startable) {
    reply.problems.push_back(
        told_problem("name_taken", startable.error(), peer));
  }
  if (const auto hook = check_hook(options.at_gate_hook); !hook) {
    reply.problems.push_back(told_problem("hook_unusable", hook.error(), peer));
  }
  const auto seen = look_for_space(offered.guest, options, peer);
  tell(seen, peer, reply);
  if (seen) {
    reply.room = host_room{here->free_memory_kib,
                           memory_needed_kib(offered.guest),
                           seen->room.usable(),
                           seen->room.needed};
  }
  return reply;
}

result<answer> consider_seed(const guest_info& guest,
                             const settings& options,
                             const known_peer& peer) {
  answer reply;
  reply.host = host_name();
  if (!check_rights(peer_deed::seed_here, guest, peer, reply)) {
    return reply;
  }
  auto xen = toolstack::open();
  const auto state =
      xen ? (*xen)->state_by_uuid(guest.uuid)
          : result<toolstack::guest_state>(toolstack::guest_state::absent);
  if (!state) {
    return state.error();
  }
  if (*state != toolstack::guest_state::absent) {
    reply.problems.push_back(
        {"guest_here", guest.name + " is on this host already"});
  }
  tell(look_for_space(guest, options, peer), peer, reply);
  return reply;
}

}  // namespace teleport
