// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/journal.hpp: what this host has promised of a teleport,
// on stable storage before it is told to the other side.
//
// One small JSON file a teleport, replaced as a whole (write, fsync, rename,
// fsync of the folder), so that a crash leaves the old or the new one. It holds
// its own SHA-256, and its name its id and role.
//
// Threads: one process writes an entry, under the guest's lock.
// Blocks: write() returns when the entry is durable.
// Trust: files of our own, but checked when read: a damaged one is an error.

#ifndef LIBTELEPORT_MIGRATE_JOURNAL_HPP
#define LIBTELEPORT_MIGRATE_JOURNAL_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

enum class journal_role { source, destination };

/// Source: moving -> go -> moved -> cleared, or home.
/// Destination: building -> ready -> go -> running; or abandoned.
enum class journal_state {
  moving,
  go,
  moved,
  home,
  building,
  ready,
  running,
  abandoned,
  /// The guest moved, and nothing of it is left here that could be started.
  cleared,
};

/// The guest runs at the destination, cleared away here or not.
[[nodiscard]] constexpr bool has_moved(journal_state state) noexcept {
  return state == journal_state::moved || state == journal_state::cleared;
}

[[nodiscard]] std::string_view name_of(journal_state state) noexcept;

struct journal_entry {
  std::string id;  ///< 32 hexadecimal digits, made by the source
  journal_role role = journal_role::source;
  journal_state state = journal_state::moving;
  std::string guest;
  std::string uuid;
  std::uint32_t domid = 0;
  std::string peer;  ///< HOST:PORT as the user gave it, or its address
  /// SHA-256 of the certificate that the other host was first paired with: none
  /// but this host got GO. Empty in entries of release 0.1.0.
  std::string peer_key;
  /// A person decided where the guest runs, not one of the two hosts.
  bool by_hand = false;
  std::string disks;  ///< JSON that the writer understands; opaque here

  friend bool operator==(const journal_entry&, const journal_entry&) = default;
};

class journal {
 public:
  /// @param folder  made if it is missing, mode 0700
  [[nodiscard]] static result<journal> open(const std::string& folder);

  [[nodiscard]] result<void> write(const journal_entry& entry);
  /// @error errc::corrupt when the file is not one of ours
  [[nodiscard]] result<std::optional<journal_entry>> read(
      const std::string& id, journal_role role) const;
  /// All entries of a role; damaged files are left out and logged.
  [[nodiscard]] result<std::vector<journal_entry>> all(journal_role role) const;
  result<void> remove(const std::string& id, journal_role role);

  /// Where an entry lies, for the guardian process.
  [[nodiscard]] std::string path_of(const std::string& id,
                                    journal_role role) const;
  /// Reads one file.
  [[nodiscard]] static result<journal_entry> read_file(const std::string& path);

 private:
  explicit journal(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

/// True for 32 lower-case hexadecimal digits: safe in a file's name.
[[nodiscard]] bool is_teleport_id(std::string_view text) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_JOURNAL_HPP
