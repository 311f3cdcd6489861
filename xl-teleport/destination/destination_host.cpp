// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/destination_host.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/store.hpp"
#include "libteleport/xen/domain.hpp"
#include "libteleport/xen/preflight.hpp"
#include "xl-teleport/destination/kept_target.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/setup/host_name.hpp"

namespace teleport {

namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

destination_facts look_around(const guest_info& guest) {
  destination_facts facts;
  for (const std::string& bridge : guest.bridges) {
    // A bridge's name comes from the peer: only a plain one becomes a path.
    const bool plain = bridge.find('/') == std::string::npos && bridge != "..";
    if (plain && exists("/sys/class/net/" + bridge + "/bridge")) {
      facts.bridges_present.push_back(bridge);
    }
  }
  for (const std::string& file : guest.boot_files) {
    if (!exists(file)) {
      facts.missing_boot_files.push_back(file);
    }
  }
  return facts;
}

/// A problem for what could not even be looked at.
problem unusable(const char* code, const error& cause) {
  return {code, cause.context};
}

struct store_space {
  std::uint64_t free = 0;
  std::uint64_t needed = 0;
};

/// Says in the reply where the disks would go.
result<store_space> look_for_space(const guest_info& guest,
                                   const settings& options,
                                   answer& reply) {
  const auto store = open_store(options.store);
  const auto free =
      store ? (*store)->free_bytes() : result<std::uint64_t>(store.error());
  if (!free) {
    return free.error();
  }
  const auto book = disk_book::open(options.kept_disks_path());
  auto seen =
      book ? foresee(guest, *book, **store) : result<foreseen>(book.error());
  if (!seen) {
    return seen.error();
  }
  reply.disks = std::move(seen->disks);
  return store_space{*free, seen->bytes_needed};
}

}  // namespace

result<answer> consider(const offer& offered, const settings& options) {
  answer reply;
  reply.host = host_name();
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto here = (*xen)->host();
  if (!here) {
    return here.error();
  }
  auto facts = look_around(offered.guest);
  std::vector<problem> found;
  const auto space = look_for_space(offered.guest, options, reply);
  if (space) {
    facts.store_free_bytes = space->free;
    facts.bytes_needed = space->needed;
    reply.room = host_room{here->free_memory_kib,
                           memory_needed_kib(offered.guest),
                           space->free,
                           space->needed};
  } else {
    found.push_back(unusable("store_unusable", space.error()));
  }
  reply.problems =
      destination_problems(offered.guest, offered.source, *here, facts);
  std::ranges::move(found, std::back_inserter(reply.problems));
  return reply;
}

result<answer> consider_seed(const guest_info& guest, const settings& options) {
  answer reply;
  reply.host = host_name();
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
  const auto space = look_for_space(guest, options, reply);
  if (!space) {
    reply.problems.push_back(unusable("store_unusable", space.error()));
  } else if (space->needed > space->free) {
    reply.problems.push_back(
        {"store_space",
         fmt::format("the disks need {} MiB in the store, {} MiB are free",
                     space->needed / 1_MiB,
                     space->free / 1_MiB)});
  }
  return reply;
}

void tidy_shadows(const settings& options) {
  auto book = disk_book::open(options.kept_disks_path());
  auto kept = book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!kept) {
    log_warning(kept.error().context);
    return;
  }
  for (const kept_disk& disk : *kept) {
    if (!disk.shadow) {
      continue;
    }
    const auto home = home_at(*disk.shadow);
    const auto there = home->found();
    if (!there || there->aside || !there->backing) {
      continue;
    }
    guest_info guest;
    guest.name = disk.guest;
    guest.uuid = disk.uuid;
    const auto locks = lock_guest_and_name(options.run_path, guest);
    if (!locks) {
      continue;  // a session is at work on it
    }
    auto xen = toolstack::open();
    const auto state = xen ? (*xen)->state_by_uuid(disk.uuid)
                           : result<guest_state>(xen.error());
    if (!state || *state != guest_state::absent) {
      continue;
    }
    auto aside = check_identity(disk, home->identity());
    if (aside) {
      aside = home->set_aside();
    }
    if (aside) {
      log_info(fmt::format("{} of {} is set aside again at {}",
                           disk.vdev,
                           disk.guest,
                           disk.shadow->aside));
    } else {
      log_warning(aside.error().context);
    }
  }
}

}  // namespace teleport
