// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/options.hpp: the command line, and what exit codes say:
// where the guest runs now.

#ifndef XL_TELEPORT_SOURCE_OPTIONS_HPP
#define XL_TELEPORT_SOURCE_OPTIONS_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/migrate/convergence.hpp"
#include "libteleport/net/pacer.hpp"

namespace teleport {

/// Exit codes. Documented in xl-teleport(1); never changed.
enum class exit_code {
  moved = 0,
  stayed = 1,  ///< failed; the guest runs here as before
  usage = 2,
  refused = 3,      ///< before anything was touched
  not_cleared = 4,  ///< moved; what is left here was not cleared away
  uncertain = 5,    ///< a person must look at both hosts
};

/// What a person says of a guest, where no machine can know it.
enum class decision { runs_here, runs_there };

struct move_options {
  std::string guest;
  std::string host;
  std::uint16_t port = 0;
  std::string peer;  ///< under which the host is paired; empty: `host`
  std::string settings_file;
  bool settings_named = false;
  bool json = false;
  bool live = true;
  bool dry_run = false;
  bool show_progress = true;
  bool quiet = false;
  bool verbose = false;
  bool recover = false;  ///< `guest` alone is needed
  std::optional<decision> by_hand;
  bool yes = false;  ///< by_hand is not asked for again
  downtime_budget downtime;
  /// The guest is resumed here when it was suspended for so long before GO.
  /// nullopt: --non-live without --max-downtime, whose memory is sent while it
  /// stands.
  std::optional<seconds> downtime_limit;
  link_rate bwlimit = 0;
  std::optional<unsigned> connections;  ///< nullopt: as the settings say
  /// A link that was lost before the memory was sent is looked for so long.
  std::chrono::seconds reconnect_limit{600};
  /// How long to ask the destination after a lost answer to GO.
  std::chrono::seconds ask_limit{300};
};

/// Reads the command line.
///
/// @param[out] code  set when nullopt is returned: help, version or usage
[[nodiscard]] std::optional<move_options> read_options(int argc,
                                                       char** argv,
                                                       int& code);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_OPTIONS_HPP
