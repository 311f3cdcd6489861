// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/store_room.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/units.hpp"
#include "xl-teleport/destination/store_promises.hpp"
#include "xl-teleport/setup/peer_holdings.hpp"

namespace teleport {

std::uint64_t store_room::usable() const {
  const std::uint64_t left = free - std::min(free, promised);
  return left - std::min(left, reserve);
}

std::vector<problem> store_room::problems() const {
  std::vector<problem> found;
  // A need of nothing finds room in a store that is full.
  if (needed > usable()) {
    std::string sentence = fmt::format(
        "the disks need {} MiB of {}, {} MiB are "
        "free",
        needed / 1_MiB,
        pool,
        free / 1_MiB);
    if (promised > 0) {
      sentence += fmt::format(", of which {} MiB are promised to others",
                              promised / 1_MiB);
    }
    if (reserve > 0) {
      sentence +=
          fmt::format(", and {} MiB are to be left free ('reserve' in [store])",
                      reserve / 1_MiB);
    }
    found.push_back({"store_space", std::move(sentence)});
  }
  if (!beyond_quota.empty()) {
    found.push_back({"peer_quota", beyond_quota});
  }
  return found;
}

result<store_room> look_at_room(const foreseen_guest& offered,
                                const disk_book& book,
                                disk_store& store,
                                const settings& options) {
  const auto promised =
      promised_to_others(offered.guest, book, store, options.run_path);
  if (!promised) {
    return promised.error();
  }
  const foreseen::need& need = offered.seen.needs.front();
  store_room room{need.space.pool,
                  need.bytes,
                  need.space.free,
                  *promised,
                  options.store_reserve,
                  ""};
  const known_peer& peer = offered.peer;
  if (!peer.rights.is_limited()) {
    return room;
  }
  const auto holdings = peer_holdings::read(options);
  if (!holdings) {
    return holdings.error();
  }
  const auto may =
      peer.rights.check_store(holdings->bytes_of(peer.key),
                              holdings->bytes_with(peer.key, offered.guest));
  if (!may) {
    room.beyond_quota = may.error().context;
  }
  return room;
}

}  // namespace teleport
