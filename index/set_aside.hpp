// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/set_aside.hpp: moves a database that cannot be used out of the way.
//
// Threads: functions without state; one process at a time (store::open).
// Blocks: a few renames.

#ifndef INDEX_SET_ASIDE_HPP
#define INDEX_SET_ASIDE_HPP

#include <string>

#include "libteleport/base/error.hpp"

namespace teleport::index {

/// Renames data.mdb and lock.mdb into a folder `unusable-TIME` beside them,
/// says so in the log with the reason, and drops what was set aside before:
/// at most one such folder takes space.
result<void> set_aside(const std::string& folder, const error& why);

}  // namespace teleport::index

#endif  // INDEX_SET_ASIDE_HPP
