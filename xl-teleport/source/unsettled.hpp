// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/unsettled.hpp: what this host's journal has of a guest,
// and which of it waits for an answer or for its end.
//
// Threads: any. Blocks: on small files.

#ifndef XL_TELEPORT_SOURCE_UNSETTLED_HPP
#define XL_TELEPORT_SOURCE_UNSETTLED_HPP

#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport {

/// The entry's teleport has not come to its end on this host. Of one that a
/// process is at work on, too.
[[nodiscard]] bool is_unsettled(const journal_entry& entry) noexcept;

/// All entries of both roles; those that are unsettled come first,
/// then the others, newest first.
[[nodiscard]] result<std::vector<journal_entry>> journalled_teleports(
    const journal& entries);
/// @param path  the journal's folder
[[nodiscard]] result<std::vector<journal_entry>> journalled_teleports(
    const std::string& path);

/// The entry that counts for a guest: what left before what arrived, what is
/// unsettled before what is over, the newest of those that are over.
///
/// @param guest  name or uuid
[[nodiscard]] result<std::optional<journal_entry>> last_teleport_of(
    const journal& entries, const std::string& guest);

/// The teleport for which GO was sent and whose answer has not come.
///
/// @param guest  name or uuid
[[nodiscard]] std::optional<journal_entry> waits_for_answer(
    const std::string& journal_path, const std::string& guest);

/// The words for a guest in limbo.
[[nodiscard]] std::string limbo_sentence(const journal_entry& entry);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_UNSETTLED_HPP
