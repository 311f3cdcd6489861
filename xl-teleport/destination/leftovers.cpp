// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/leftovers.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/loop_device.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/xen/destruction.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/destination/built_guest.hpp"
#include "xl-teleport/setup/arrival.hpp"
#include "xl-teleport/setup/arrival_fate.hpp"
#include "xl-teleport/setup/finished_teleports.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/setup/kept_standing.hpp"

namespace teleport {

namespace {

/// xl destroys a half-built guest in seconds; a hotplug script may take its
/// 40 s time-out.
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{5000};

result<std::vector<unique_fd>> lock_guest_of(const settings& config,
                                             const std::string& name,
                                             const std::string& uuid) {
  guest_info guest;
  guest.name = name;
  guest.uuid = uuid;
  return lock_guest_and_name(config.run_path, guest, if_locked::give_up);
}

/// A shadow under the name from which its guest is started.
bool has_startable_name(const kept_disk& disk) {
  if (!disk.shadow || disk.shadow->aside == disk.shadow->backing) {
    return false;
  }
  const auto there = home_at(*disk.shadow)->found();
  return there && there->backing && !there->aside;
}

class cleaner {
 public:
  cleaner(const settings& config, journal& entries)
      : config_(config), journal_(entries) {}

  /// The sessions first: what they promise decides whose the disks are.
  void run() {
    const auto entries = journal_.all(journal_role::destination);
    if (!entries) {
      log_warning(entries.error().context);
      return;
    }
    for (const journal_entry& entry : *entries) {
      if (!entry.disks.empty()) {
        finish_session(entry.id);
      }
    }
    clean_book();
  }
  [[nodiscard]] bool is_waiting() const noexcept { return waiting_; }

 private:
  void finish_session(const std::string& id);
  void finish_locked(journal_entry entry, const arrival& plan);
  void abandon(journal_entry& entry, const arrival& plan);
  void end_destructions(const std::string& uuid);
  void clean_book();
  [[nodiscard]] bool needs_cleaning(const kept_disk& disk,
                                    kept_standing standing);
  [[nodiscard]] static result<void> clean(const kept_disk& disk,
                                          kept_standing standing,
                                          disk_book& book);
  void note(const result<void>& done);
  bool write(const journal_entry& entry) {
    const auto written = journal_.write(entry);
    if (!written) {
      log_warning(written.error().context);
      waiting_ = true;
    }
    return written.has_value();
  }

  const settings& config_;
  journal& journal_;
  bool waiting_ = false;
};

void cleaner::finish_session(const std::string& id) {
  auto read = journal_.read(id, journal_role::destination);
  if (read && *read && (*read)->state == journal_state::go) {
    // A guest that is seen running is journalled so, as for a QUERY.
    (void)fate_of({id, (*read)->uuid}, config_);
  }
  const auto session = take_lock(config_.run_path, id);
  if (!session) {
    return;  // it lives: its own end clears up
  }
  read = journal_.read(id, journal_role::destination);
  if (!read || !*read) {
    return;
  }
  const auto plan = read_arrival((*read)->disks);
  if (!plan) {
    log_warning(fmt::format("teleport {}: {}", id, plan.error().context));
    return;
  }
  const auto locks = lock_guest_of(config_, plan->guest, plan->uuid);
  if (!locks) {
    return;  // another teleport of the guest is under way
  }
  finish_locked(**read, *plan);
}

void cleaner::finish_locked(journal_entry entry, const arrival& plan) {
  switch (entry.state) {
    case journal_state::running:
      if (const auto done = finish_arrival(journal_, entry, config_); !done) {
        log_warning(done.error().context);
      }
      return;
    case journal_state::building:
    case journal_state::ready:
    case journal_state::abandoned:
      abandon(entry, plan);
      return;
    default:
      // `go`: what came of it is not known. A guest that is being destroyed
      // is in the way of the answer.
      end_destructions(plan.uuid);
      return;
  }
}

void cleaner::end_destructions(const std::string& uuid) {
  auto xen = toolstack::open();
  const auto ended =
      xen ? finish_destructions(**xen, uuid) : result<void>(xen.error());
  if (!ended) {
    log_warning(ended.error().context);
    waiting_ = true;
  }
}

/// Promised first: the GO of a session that is dead finds nobody.
void cleaner::abandon(journal_entry& entry, const arrival& plan) {
  entry.state = journal_state::abandoned;
  if (!write(entry)) {
    return;
  }
  if (plan.boot == this_boot()) {
    const auto destroyed = destroy_built(plan.uuid, plan.guest);
    if (!destroyed) {
      log_warning(destroyed.error().context);
      waiting_ = true;
      return;
    }
  }
  // Its disks are the book's, and are cleaned with it.
  entry.disks.clear();
  (void)write(entry);
}

void cleaner::clean_book() {
  auto book = disk_book::open(config_.kept_disks_path());
  const auto all =
      book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!all) {
    log_warning(all.error().context);
    return;
  }
  for (const kept_disk& disk : *all) {
    const auto now = kept_review::look(config_);
    if (!now) {
      log_warning(now.error().context);
      return;
    }
    if (!needs_cleaning(disk, now->of(disk))) {
      continue;
    }
    const auto locks = lock_guest_of(config_, disk.guest, disk.uuid);
    const auto known = locks ? book->find(disk.uuid, disk.vdev)
                             : result<std::optional<kept_disk>>(locks.error());
    const auto review = kept_review::look(config_);
    if (!known || !*known || !review) {
      continue;  // a session works on it, or has removed it
    }
    note(clean(**known, review->of(**known), *book));
  }
}

/// Without the guest's lock: a teleport that begins now is not turned away for
/// nothing.
bool cleaner::needs_cleaning(const kept_disk& disk, kept_standing standing) {
  switch (standing) {
    case kept_standing::of_guest:
      return true;
    case kept_standing::in_use:
      waiting_ = true;  // an xl that is ending may have it
      return false;
    case kept_standing::unsettled:
      return false;
    case kept_standing::kept:
      break;
  }
  const auto loop = find_loop(place_of(disk));
  return (loop && *loop) || has_startable_name(disk);
}

result<void> cleaner::clean(const kept_disk& disk,
                            kept_standing standing,
                            disk_book& book) {
  if (standing == kept_standing::of_guest) {
    return book.remove(disk.uuid, disk.vdev);
  }
  if (standing != kept_standing::kept) {
    return {};
  }
  if (has_startable_name(disk)) {
    // Of a seed that was killed, or of an earlier release's homecoming.
    const auto home = home_at(*disk.shadow);
    const auto same = check_identity(disk, home->identity());
    return same ? home->set_aside() : same;
  }
  const auto loop = find_loop(place_of(disk));
  return loop && *loop ? detach_loop(**loop) : result<void>();
}

void cleaner::note(const result<void>& done) {
  if (done) {
    return;
  }
  if (done.error().code == errc::busy) {
    waiting_ = true;
    log_debug(done.error().context);
  } else {
    log_warning(done.error().context);
  }
}

}  // namespace

bool clear_leftovers(const settings& config) {
  const auto alone = lock_leftovers(config.run_path);
  if (!alone) {
    return true;  // another process does it, and may have begun before
  }
  auto entries = journal::open(config.journal_path());
  if (!entries) {
    log_warning(entries.error().context);
    return false;
  }
  cleaner work(config, *entries);
  work.run();
  if (const auto removed = remove_finished(config); !removed) {
    log_warning(removed.error().context);
  }
  remove_free_locks(config);
  return work.is_waiting();
}

void clear_leftovers_patiently(const settings& config) {
  const auto until = std::chrono::steady_clock::now() + patience;
  auto pause = first_pause;
  while (clear_leftovers(config) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest_pause);
  }
}

}  // namespace teleport
