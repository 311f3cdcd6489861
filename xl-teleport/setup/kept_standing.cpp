// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/kept_standing.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fcntl.h>

#include <fmt/format.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

bool is_of(const arrival& plan, const kept_disk& disk) {
  return std::ranges::any_of(plan.disks, [&](const kept_disk& one) {
    return one.uuid == disk.uuid && one.vdev == disk.vdev &&
           place_of(one) == place_of(disk);
  });
}

result<std::vector<unfinished_arrival>> unfinished_here(
    const settings& config) {
  const auto entries = journal::open(config.journal_path());
  const auto all = entries
                       ? entries->all(journal_role::destination)
                       : result<std::vector<journal_entry>>(entries.error());
  if (!all) {
    return all.error();
  }
  std::vector<unfinished_arrival> found;
  for (const journal_entry& entry : *all) {
    if (entry.disks.empty()) {
      continue;
    }
    auto plan = read_arrival(entry.disks);
    if (!plan) {
      return in_context("teleport " + entry.id, plan.error());
    }
    found.push_back({entry.state, std::move(*plan)});
  }
  return found;
}

}  // namespace

kept_standing standing_of(const kept_disk& disk,
                          const std::vector<unfinished_arrival>& arrivals,
                          const std::vector<guest_seen>& users) {
  const bool own_runs = std::ranges::any_of(users, [&](const guest_seen& one) {
    return one.uuid == disk.uuid && one.state == guest_state::running;
  });
  if (own_runs) {
    return kept_standing::of_guest;
  }
  for (const unfinished_arrival& one : arrivals) {
    if (!is_of(one.plan, disk)) {
      continue;
    }
    if (one.state == journal_state::running) {
      return kept_standing::of_guest;
    }
    if (one.state == journal_state::go) {
      return kept_standing::unsettled;
    }
  }
  return users.empty() ? kept_standing::kept : kept_standing::in_use;
}

result<kept_review> kept_review::look(const settings& config) {
  kept_review seen;
  auto arrivals = unfinished_here(config);
  if (!arrivals) {
    return arrivals.error();
  }
  seen.arrivals_ = std::move(*arrivals);
  auto users = disk_users::look();
  if (!users) {
    return users.error();
  }
  seen.users_ = std::move(*users);
  return seen;
}

kept_standing kept_review::of(const kept_disk& disk) const {
  std::vector<std::uint32_t> domids = users_.of(place_of(disk));
  if (disk.identity) {
    std::ranges::copy(users_.of(*disk.identity), std::back_inserter(domids));
  }
  std::vector<guest_seen> users;
  users.reserve(domids.size());
  for (const std::uint32_t domid : domids) {
    users.push_back(users_.user(domid));
  }
  return standing_of(disk, arrivals_, users);
}

result<void> kept_review::check_unused(const std::string& path) const {
  if (const auto domids = users_.of(path); !domids.empty()) {
    return error(errc::busy,
                 fmt::format("{} is a disk of a guest that is here (domain {})",
                             path,
                             domids.front()));
  }
  const unique_fd claimed(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  if (!claimed && errno == EBUSY) {
    return error(errc::busy, path + " is mounted, or held by another device");
  }
  return claimed ? result<void>() : system_error(errno, "open " + path);
}

const std::string& place_of(const kept_disk& kept) {
  return kept.shadow ? kept.shadow->aside : kept.partial;
}

result<void> check_noted(const std::string& name,
                         const disk_identity& noted,
                         const result<disk_identity>& now) {
  if (!now) {
    return now.error();
  }
  return *now == noted
             ? result<void>()
             : error(errc::mismatch,
                     fmt::format("{} is another disk ({}) than the one that "
                                 "was noted ({})",
                                 name,
                                 now->text(),
                                 noted.text()));
}

result<void> check_identity(const kept_disk& kept,
                            const result<disk_identity>& now) {
  if (!kept.identity) {
    // Of an older release. A file's and a volume's path is the store's own; a
    // device's name is dealt anew at each boot.
    return kept.shadow && entry_of(kept.shadow->kind).is_named_by_kernel
               ? error(errc::mismatch,
                       place_of(kept) + ": it was not noted which disk it is")
               : result<void>();
  }
  return check_noted(place_of(kept), *kept.identity, now);
}

}  // namespace teleport
