// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/plan.hpp: assigns guests to hosts from the preflights of all,
// with the problems of each, before anything moves.
//
// Threads: pure functions over plain values.

#ifndef TOOLS_EVACUATE_PLAN_HPP
#define TOOLS_EVACUATE_PLAN_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/preflight.hpp"

namespace teleport::evacuation {

/// A guest that is to move.
struct candidate {
  std::string name;
  std::string uuid;
  std::uint32_t domid = 0;
  std::uint64_t memory_kib = 0;
  /// Where it runs now; empty: on this host.
  std::string at;
};

/// The preflight of one guest to one host.
struct probe {
  std::vector<problem> problems;
  std::optional<host_room> room;
  std::string uuid;  ///< of the guest that was looked at
};

/// By number in `candidates` and in `hosts`.
using probes = std::map<std::pair<std::size_t, std::size_t>, probe>;

/// True for what is wrong with the way to a host, whatever guest is to go:
/// the host need not be asked about the next.
[[nodiscard]] bool is_of_the_host(const problem& found);

struct planned_move {
  std::size_t guest = 0;
  std::size_t host = 0;

  friend bool operator==(const planned_move&, const planned_move&) = default;
};

/// What stands in the way, and whose: of a guest, of a host, or of both.
struct obstacle {
  std::optional<std::size_t> guest;
  std::optional<std::size_t> host;
  problem what;
};

struct plan {
  std::vector<planned_move> moves;  ///< largest first
  std::vector<obstacle> obstacles;
};

/// Spreads the guests over the hosts by memory and room in their stores, the
/// largest first; where that leaves one out, packs them tightly instead.
///
/// Beside what the probes found: no_room (each fits alone, not all together),
/// other_guest (the name is now another guest's).
[[nodiscard]] plan make_plan(const std::vector<candidate>& candidates,
                             const std::vector<std::string>& hosts,
                             const probes& found);

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_PLAN_HPP
