// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/holdings.hpp: how much of a disk's content do the indexed disks hold?
// The answer to "what would a teleport of this save?".
//
// Threads: one owner a call. Blocks: reads all of the disk, or of its digests.
// Trust: counts what the index says; nothing is proven.

#ifndef INDEX_HOLDINGS_HPP
#define INDEX_HOLDINGS_HPP

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/migrate/content_lookup.hpp"

namespace teleport::index {

struct holdings {
  std::uint64_t bytes = 0;
  // Blocks; their sum is the disk.
  std::uint64_t zero = 0;
  std::uint64_t found = 0;
  std::uint64_t missing = 0;
  std::uint64_t runs = 0;                      ///< of found blocks
  std::uint64_t whole_extents = 0;             ///< found by their SHA-256
  std::map<donor_id, std::uint64_t> by_donor;  ///< found blocks
};

/// Of any disk or image, which is read.
/// @param cancel  looked at now and then; may be nullptr
[[nodiscard]] result<holdings> find_holdings(content_lookup& lookup,
                                             const std::string& path,
                                             const std::atomic<bool>* cancel);

/// Of an indexed disk, as it was when it was scanned: what the others hold.
/// Reads the index alone.
/// @error errc::not_found
[[nodiscard]] result<holdings> find_holdings_of(
    store& tables, std::uint32_t id, const std::atomic<bool>* cancel);

}  // namespace teleport::index

#endif  // INDEX_HOLDINGS_HPP
