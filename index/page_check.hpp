// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/page_check.hpp: is an LMDB data file safe to hand to LMDB?
//
// LMDB believes its own pages: one flipped bit in them, or a file cut short,
// can end the process. This reads the file itself, as LMDB 0.9 lays it out
// (data version 1, 64-bit), and checks all that LMDB would follow: meta pages,
// branch and leaf pages, where large values lie, the list of free pages. The
// values themselves are checked by whoever reads them.
//
// Threads: functions without state. Blocks: reads the file.
// Trust: the file is hostile.

#ifndef INDEX_PAGE_CHECK_HPP
#define INDEX_PAGE_CHECK_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport::index {

/// Before the environment is opened: are the meta pages sane?
///
/// @return false when the file is absent or empty
/// @error errc::corrupt
[[nodiscard]] result<bool> check_meta_pages(const std::string& path);

/// Walks the tree of the snapshot `txn_id`, which a read transaction must hold.
///
/// @param writing  also what only a writer follows: free pages, and the heads
///                 of large values
/// @return false when newer commits have overwritten the snapshot's meta page
/// @error errc::corrupt with the page and what is wrong with it
[[nodiscard]] result<bool> check_tree_pages(const std::string& path,
                                            std::uint64_t txn_id,
                                            bool writing);

}  // namespace teleport::index

#endif  // INDEX_PAGE_CHECK_HPP
