// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/preflight.hpp: asks xl-teleport itself, with --dry-run, about
// each guest and each destination, a few at once.
//
// Threads: the loop's thread.

#ifndef TOOLS_EVACUATE_PREFLIGHT_HPP
#define TOOLS_EVACUATE_PREFLIGHT_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "libteleport/net/event_loop.hpp"
#include "tools/evacuate/child_program.hpp"
#include "tools/evacuate/plan.hpp"

namespace teleport::evacuation {

/// What a report of `xl-teleport --dry-run --json` says; a report that is none
/// is a problem of its own.
[[nodiscard]] probe read_probe(const nlohmann::json& report,
                               const program_end& end);

class preflight {
 public:
  using command = std::function<std::vector<std::string>(std::size_t guest,
                                                         std::size_t host)>;

  /// @param line_of  the command of one preflight
  /// @param done     once, unless stop() came before
  preflight(event_loop& loop,
            command line_of,
            std::function<void(probes)> done);

  /// Asks about every guest and every host.
  /// @param of_the_host  a host that cannot be reached is not asked again
  void start(std::size_t guests, std::size_t hosts, bool of_the_host);
  void stop();

 private:
  using pair = std::pair<std::size_t, std::size_t>;
  struct asked {
    std::unique_ptr<child_program> child;
    std::string last_line;
    timer limit;
  };

  void go_on();
  void ask(pair which);
  void answered(pair which, const program_end& end);

  event_loop& loop_;
  command line_of_;
  std::function<void(probes)> done_;
  bool of_the_host_ = true;
  std::deque<pair> waiting_;
  std::map<pair, asked> running_;
  std::set<std::size_t> lost_hosts_;
  probes found_;
};

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_PREFLIGHT_HPP
