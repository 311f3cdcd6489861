// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/check.hpp: checks all of an index: every value is intact, each pair
// leads to its digest, each digest has its pair. Repairs what can be.
//
// A damaged group of digests cannot be repaired from the rest: its disk is
// reported, and a scan of that disk writes the group again.
//
// Threads: one owner; no disk may be scanned or removed meanwhile (it is
//          refused as errc::busy).
// Blocks: for as long as the index takes to read, some two or three times.
// Trust: the index may be damaged everywhere.

#ifndef INDEX_CHECK_HPP
#define INDEX_CHECK_HPP

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"

namespace teleport::index {

struct check_report {
  std::uint64_t groups = 0;
  std::uint64_t damaged_groups = 0;
  std::uint64_t ownerless_groups = 0;  ///< no disk has these slots
  std::uint64_t buckets = 0;
  std::uint64_t damaged_buckets = 0;
  std::uint64_t pairs = 0;
  std::uint64_t stale_pairs = 0;    ///< no such digest stands there
  std::uint64_t missing_pairs = 0;  ///< the digest cannot be found
  std::uint64_t extents = 0;
  std::uint64_t stale_extents = 0;
  std::uint64_t missing_extents = 0;
  std::vector<std::string> to_be_scanned;  ///< paths

  [[nodiscard]] std::uint64_t faults() const noexcept {
    return damaged_groups + ownerless_groups + damaged_buckets + stale_pairs +
           missing_pairs + stale_extents + missing_extents;
  }
};

/// @param repair  needs a writable store
/// @param cancel  looked at now and then; may be nullptr
/// @error errc::busy; errc::cancelled
[[nodiscard]] result<check_report> check_index(store& tables,
                                               bool repair,
                                               const std::atomic<bool>* cancel);

}  // namespace teleport::index

#endif  // INDEX_CHECK_HPP
