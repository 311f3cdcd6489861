// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/fate_asker.hpp: takes up teleports from this host of which no
// process is left: GO was sent and had no answer, or the guest moved and not
// all of it was cleared away. Each attempt is a 'xl-teleport --recover' of its
// own.
//
// Threads: the loop's thread; one pool thread for an attempt.

#ifndef TOOLS_TELEPORTD_FATE_ASKER_HPP
#define TOOLS_TELEPORTD_FATE_ASKER_HPP

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Which teleports are due, and when to look again; time is passed in.
class asking_plan {
 public:
  using clock = std::chrono::steady_clock;

  /// Between two looks at the journal.
  static constexpr std::chrono::seconds look_interval{10};
  /// Between two attempts for one teleport: doubled up to this.
  static constexpr std::chrono::seconds longest_pause{300};

  /// @param waiting  ids of the entries that no process is at work on
  /// @return those to ask for now
  [[nodiscard]] std::vector<std::string> due(
      const std::vector<std::string>& waiting, clock::time_point now);

 private:
  struct attempt {
    clock::time_point next;
    std::chrono::seconds pause;
  };
  std::map<std::string, attempt> attempts_;
};

/// @return whether teleportd is to take an entry up by itself
[[nodiscard]] bool is_to_be_asked(const journal_entry& entry) noexcept;

class fate_asker {
 public:
  fate_asker(event_loop& loop, settings options, std::string settings_file);

  /// From now on, at once and then at intervals.
  void start();

 private:
  /// On a pool thread: what waits, and one attempt for each that is due.
  void ask_all();

  event_loop& loop_;
  settings options_;
  std::string settings_file_;
  asking_plan plan_;
  timer timer_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_FATE_ASKER_HPP
