// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/plan.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"

namespace teleport::evacuation {

namespace {

/// What a host has, and what the guests planned for it take.
struct host_load {
  std::uint64_t free_memory_kib = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t free_store_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t memory_kib = 0;
  std::uint64_t store_bytes = 0;

  [[nodiscard]] bool has_room_for(const host_room& need) const {
    return need.needed_memory_kib <= free_memory_kib - memory_kib &&
           need.needed_store_bytes <= free_store_bytes - store_bytes;
  }
  /// The fuller of the two, from 0 to 1, with that guest as well.
  [[nodiscard]] double share_with(const host_room& need) const {
    const auto share = [](std::uint64_t used, std::uint64_t all) {
      return all == 0 ? 0.0
                      : static_cast<double>(used) / static_cast<double>(all);
    };
    return std::max(
        share(memory_kib + need.needed_memory_kib, free_memory_kib),
        share(store_bytes + need.needed_store_bytes, free_store_bytes));
  }
  void take(const host_room& need) {
    memory_kib += need.needed_memory_kib;
    store_bytes += need.needed_store_bytes;
  }
};

/// A guest and the hosts that would take it alone, with what it needs there.
struct choice {
  std::size_t guest = 0;
  std::uint64_t memory_kib = 0;
  std::map<std::size_t, host_room> hosts;
};

enum class packing { spread, tight };

struct placement {
  std::vector<planned_move> moves;
  std::vector<std::size_t> left_out;
};

placement place(const std::vector<choice>& choices,
                std::vector<host_load> loads,
                packing how) {
  placement placed;
  for (const choice& one : choices) {
    std::optional<std::size_t> best;
    double best_share = 0;
    for (const auto& [host, need] : one.hosts) {
      if (!loads[host].has_room_for(need)) {
        continue;
      }
      const double share = loads[host].share_with(need);
      if (!best ||
          (how == packing::spread ? share < best_share : share > best_share)) {
        best = host;
        best_share = share;
      }
    }
    if (!best) {
      placed.left_out.push_back(one.guest);
      continue;
    }
    loads[*best].take(one.hosts.at(*best));
    placed.moves.push_back({one.guest, *best});
  }
  return placed;
}

std::vector<host_load> free_loads(std::size_t hosts, const probes& found) {
  std::vector<host_load> loads(hosts);
  for (const auto& [at, one] : found) {
    // Probes ran one after the other: the least room that one of them reported
    // counts. Without figures from a destination each guest was checked alone.
    if (one.room) {
      host_load& load = loads[at.second];
      load.free_memory_kib =
          std::min(load.free_memory_kib, one.room->free_memory_kib);
      load.free_store_bytes =
          std::min(load.free_store_bytes, one.room->free_store_bytes);
    }
  }
  return loads;
}

/// A problem of a host is told once, whatever the number of guests; one that
/// all hosts report of a guest (a problem of the source) once.
void add_once(std::vector<obstacle>& list, obstacle one) {
  const bool known = std::ranges::any_of(list, [&](const obstacle& other) {
    return other.guest == one.guest &&
           (one.guest
                ? other.what == one.what
                : other.host == one.host && other.what.code == one.what.code);
  });
  if (!known) {
    list.push_back(std::move(one));
  }
}

/// The probe's problems, and what only we can see.
std::vector<problem> problems_of(const probe& one, const candidate& guest) {
  auto list = one.problems;
  if (list.empty() && !one.uuid.empty() && one.uuid != guest.uuid) {
    list.push_back({"other_guest",
                    fmt::format("'{}' is another guest now: it has the uuid "
                                "{}, not {}",
                                guest.name,
                                one.uuid,
                                guest.uuid)});
  }
  return list;
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{} MiB", count_of(bytes, 1_MiB));
}

problem no_room(const candidate& guest, const choice& one) {
  std::uint64_t memory_kib = 0;
  std::uint64_t store_bytes = 0;
  for (const auto& [host, need] : one.hosts) {
    memory_kib = std::max(memory_kib, need.needed_memory_kib);
    store_bytes = std::max(store_bytes, need.needed_store_bytes);
  }
  return {"no_room",
          fmt::format("{} needs {} of memory and {} in the store, which no "
                      "destination has left beside the guests planned before "
                      "it: free some, or name another host with --to",
                      guest.name,
                      mebibytes(memory_kib * 1_KiB),
                      mebibytes(store_bytes))};
}

}  // namespace

bool is_of_the_host(const problem& found) {
  return found.code == name_of(errc::peer_lost) ||
         found.code == name_of(errc::not_paired) ||
         found.code == name_of(errc::timeout);
}

plan make_plan(const std::vector<candidate>& candidates,
               const std::vector<std::string>& hosts,
               const probes& found) {
  plan made;
  std::vector<choice> choices;
  std::vector<std::vector<obstacle>> in_the_way(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    choices.push_back({i, candidates[i].memory_kib, {}});
  }
  for (const auto& [at, one] : found) {
    const auto& [guest, host] = at;
    const auto problems = problems_of(one, candidates[guest]);
    if (problems.empty()) {
      choices[guest].hosts[host] = one.room.value_or(host_room());
    }
    for (const problem& what : problems) {
      // A guest elsewhere begins at another host, so a problem of its way is
      // its own.
      if (is_of_the_host(what) && candidates[guest].at.empty()) {
        add_once(made.obstacles, {std::nullopt, host, what});
      } else {
        add_once(in_the_way[guest], {guest, host, what});
      }
    }
  }
  std::ranges::stable_sort(choices, [](const choice& a, const choice& b) {
    return a.memory_kib > b.memory_kib;
  });
  for (const choice& one : choices) {
    if (one.hosts.empty()) {
      std::ranges::move(in_the_way[one.guest],
                        std::back_inserter(made.obstacles));
    }
  }
  std::vector<choice> possible = choices;
  std::erase_if(possible, [](const choice& one) { return one.hosts.empty(); });
  const auto loads = free_loads(hosts.size(), found);
  auto placed = place(possible, loads, packing::spread);
  if (!placed.left_out.empty()) {
    auto tight = place(possible, loads, packing::tight);
    if (tight.left_out.size() < placed.left_out.size()) {
      placed = std::move(tight);
    }
  }
  for (const choice& one : possible) {
    if (std::ranges::find(placed.left_out, one.guest) !=
        placed.left_out.end()) {
      made.obstacles.push_back(
          {one.guest, std::nullopt, no_room(candidates[one.guest], one)});
    }
  }
  made.moves = std::move(placed.moves);
  return made;
}

}  // namespace teleport::evacuation
