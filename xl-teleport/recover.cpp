// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/recover.hpp"

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/source/unsettled.hpp"

namespace teleport {

namespace {

/// teleportd's own attempts have the guest's lock for some seconds.
constexpr std::chrono::milliseconds lock_poll{100};

result<unique_fd> wait_for_lock(const settings& config,
                                const std::string& uuid,
                                std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    auto lock = lock_guest(config.run_path, uuid);
    if (lock || lock.error().code != errc::busy ||
        std::chrono::steady_clock::now() > until) {
      return lock;
    }
    std::this_thread::sleep_for(lock_poll);
  }
}

bool is_open_departure(const journal_entry& entry) {
  return entry.role == journal_role::source && is_unsettled(entry);
}

exit_code refuse(const std::string& sentence) {
  std::cerr << "xl teleport: " << sentence << '\n';
  return exit_code::refused;
}

/// Nothing could be found out: nobody knows where the guest runs.
exit_code fail(const error& cause) {
  std::cerr << "xl teleport: " << cause.context << '\n';
  return exit_code::uncertain;
}

/// The teleport is over on this host: what became of it.
exit_code tell(const journal_entry& entry) {
  const auto say = [&](exit_code code, const char* what) {
    std::cout << fmt::format("{} {}: there is nothing to recover{}.\n",
                             entry.guest,
                             what,
                             entry.by_hand ? " (a person said so)" : "");
    return code;
  };
  switch (entry.state) {
    case journal_state::home:
      return say(exit_code::stayed, "did not leave this host");
    case journal_state::abandoned:
      return say(exit_code::stayed, "did not come to this host");
    case journal_state::running:
      return say(exit_code::moved, "came to this host and ran here");
    default:
      return say(exit_code::moved,
                 "left this host, and all of it was cleared away");
  }
}

}  // namespace

exit_code recover(const move_options& options, const settings& config) {
  auto entries = journal::open(config.journal_path());
  if (!entries) {
    return fail(entries.error());
  }
  auto entry = last_teleport_of(*entries, options.guest);
  unique_fd lock;
  if (entry && *entry && is_open_departure(**entry)) {
    auto locked = wait_for_lock(config, (*entry)->uuid, options.ask_limit);
    if (!locked) {
      return locked.error().code == errc::busy ? refuse(locked.error().context)
                                               : fail(locked.error());
    }
    lock = std::move(*locked);
    // The process that had the lock may have ended it.
    entry = last_teleport_of(*entries, options.guest);
  }
  if (!entry) {
    return fail(entry.error());
  }
  if (!*entry) {
    return refuse("the journal of this host knows of no teleport of '" +
                  options.guest + "'");
  }
  if (!is_unsettled(**entry)) {
    return tell(**entry);
  }
  return is_open_departure(**entry)
             ? recover_departure(*entries, **entry, options, config)
             : recover_arrival(*entries, **entry, options, config);
}

}  // namespace teleport
