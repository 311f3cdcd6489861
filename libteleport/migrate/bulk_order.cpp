// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/bulk_order.hpp"

#include <algorithm>
#include <iterator>

#include "libteleport/base/units.hpp"

namespace teleport {

bulk_order::bulk_order(const std::vector<std::uint64_t>& disk_bytes) {
  std::uint64_t runs = 0;
  for (const std::uint64_t bytes : disk_bytes) {
    disks_.push_back({extents_of(bytes), runs});
    runs += (disks_.back().extents + run_extents - 1) / run_extents;
  }
  const std::uint64_t share = runs / sections;
  const std::uint64_t more = runs % sections;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < sections; ++i) {
    sections_[i] = {at, at + share + (i < more ? 1 : 0)};
    at = sections_[i].end;
  }
  skip_finished();
}

std::optional<extent_run> bulk_order::next() const {
  const section& now = sections_[turn_];
  if (now.at == now.end) {
    return std::nullopt;
  }
  // The last disk that begins at this run or before it: empty ones begin with
  // the one after them.
  const auto found = std::prev(std::ranges::upper_bound(
      disks_, now.at, std::ranges::less(), &disk::first_run));
  const std::uint64_t first = (now.at - found->first_run) * run_extents;
  return extent_run{
      static_cast<std::uint16_t>(found - disks_.begin()),
      first,
      std::min<std::uint64_t>(run_extents, found->extents - first)};
}

void bulk_order::advance() {
  ++sections_[turn_].at;
  turn_ = (turn_ + 1) % sections;
  skip_finished();
}

/// Moves on to a section that has a run left, if there is one.
void bulk_order::skip_finished() {
  for (std::size_t i = 0; i < sections; ++i) {
    if (sections_[turn_].at != sections_[turn_].end) {
      return;
    }
    turn_ = (turn_ + 1) % sections;
  }
}

}  // namespace teleport
