// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/index_commands.hpp: what each `teleportctl index ...` does.
//
// All print for people or, with --json, one JSON value to standard output, and
// failures to standard error.
//
// Threads: the main thread. Blocks: for as long as disks take to read.

#ifndef TOOLS_TELEPORTCTL_INDEX_COMMANDS_HPP
#define TOOLS_TELEPORTCTL_INDEX_COMMANDS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "index/scanner.hpp"
#include "index/store.hpp"
#include "tools/teleportctl/index_command.hpp"
#include "xl-teleport/setup/exit_code.hpp"

namespace teleport {

/// Prints the failure. @return exit_failed
int index_failed(const error& cause);

/// Set by SIGINT and SIGTERM from now on.
[[nodiscard]] const std::atomic<bool>& stop_asked();

/// Is what the index holds of a disk still what the disk holds?
[[nodiscard]] const char* freshness(const index::disk_record& disk);

/// What `index stat --json` tells.
[[nodiscard]] result<nlohmann::json> index_numbers(index::store& tables,
                                                   std::size_t max_followed);

// The commands. @return the exit status
int run_index_add(index::store& tables, const index_command& command);
int run_index_scan(index::store& tables, const index_command& command);
int run_index_remove(index::store& tables, const index_command& command);
int run_index_pause(index::store& tables, const index_command& command);
int run_index_resume(index::store& tables, const index_command& command);
int run_index_list(index::store& tables, const index_command& command);
int run_index_stat(index::store& tables, const index_command& command);
int run_index_check(index::store& tables, const index_command& command);
int run_index_find(const std::shared_ptr<index::store>& tables,
                   const index_command& command);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_INDEX_COMMANDS_HPP
