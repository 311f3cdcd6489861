// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/options.hpp: the command line of teleport-evacuate, and what
// its exit codes say.

#ifndef TOOLS_EVACUATE_OPTIONS_HPP
#define TOOLS_EVACUATE_OPTIONS_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/evacuate/day_window.hpp"
#include "xl-teleport/setup/link_plan.hpp"

namespace teleport::evacuation {

/// Exit codes; as far as they go, those of xl-teleport. Documented in
/// teleport-evacuate(8); never changed.
enum class exit_code {
  all_moved = 0,  ///< or there was nothing to move
  some_stayed = 1,
  usage = 2,
  nothing_done = 3,  ///< nothing was begun
  not_cleared = 4,   ///< all moved, but something was left behind
  uncertain = 5,     ///< of at least one guest: a person must look
};

struct run_options {
  std::vector<std::string> hosts;
  std::vector<std::string> guests;  ///< empty: all
  std::vector<std::string> except;  ///< and none of these
  std::size_t parallel = 1;
  std::optional<day_window> window;
  link_rate bwlimit = 0;  ///< of all teleports together; 0: none of ours
  bool cancel_at_close = false;
  bool all_or_nothing = false;
  bool back = false;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
  std::chrono::seconds retry_pause{60};
  std::string home;  ///< this host's name at the others; for `back`
  std::vector<std::string> remote_shell;
  std::string settings_file;
  bool settings_named = false;
};

/// @param[out] code  set when nullopt is returned: help, version or usage
[[nodiscard]] std::optional<run_options> read_options(int argc,
                                                      char** argv,
                                                      int& code);

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_OPTIONS_HPP
