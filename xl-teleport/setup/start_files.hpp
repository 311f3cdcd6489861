// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/start_files.hpp: the files from which a person, or
// `xendomains`, starts a guest: its configuration in /etc/xen and the link to
// it in /etc/xen/auto. They go with the guest, so that after a loss of power of
// the destination the guest is started there, and nowhere else by itself.
//
// Threads: any, under the guest's lock. Blocks: on small files, until durable.
// Trust: write() is given what build_start_config() made of a peer's text. A
// file of another guest is never written, renamed or removed.

#ifndef XL_TELEPORT_SETUP_START_FILES_HPP
#define XL_TELEPORT_SETUP_START_FILES_HPP

#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/setup/xl_config.hpp"

namespace teleport {

/// A guest by which its files are known.
struct guest_name {
  std::string name;
  std::string uuid;
};

/// The configuration at a path, if it is this guest's, by its uuid, or without
/// one by its name.
[[nodiscard]] std::optional<std::string> config_at(const std::string& path,
                                                   const guest_name& guest);

class start_files {
 public:
  /// @param folder  with `auto` in it
  explicit start_files(std::string folder = "/etc/xen")
      : folder_(std::move(folder)) {}

  /// The guest's configuration: NAME.cfg, else what a link in `auto` leads to,
  /// else another .cfg of the folder. One of its uuid goes before one that has
  /// its name and no uuid.
  [[nodiscard]] std::optional<start_file> find(const guest_name& guest) const;

  /// Looks for names that write() would need and that are taken: before GO, as
  /// afterwards nobody can be refused.
  ///
  /// @error as write()
  [[nodiscard]] result<void> check_arrival(
      const guest_name& guest,
      const start_file& from,
      const std::vector<start_disk>& disks) const;

  /// The same for remove_autostart(), and for set_aside() where `disks` is
  /// given: the paths of a guest whose disks all keep their names.
  ///
  /// @error errc::busy
  [[nodiscard]] result<void> check_departure(
      const guest_name& guest,
      const std::optional<std::vector<std::string>>& disks) const;

  /// Writes the configuration with these disks, and the link. A configuration
  /// of the guest that is there and names these disks stays as it is. Where
  /// NAME.cfg has another uuid, or none and other disks, it becomes
  /// NAME-UUID.cfg.
  ///
  /// @return the configuration's path
  /// @error errc::refused where both files may be another guest's
  [[nodiscard]] result<std::string> write(
      const guest_name& guest,
      const start_file& from,
      const std::vector<start_disk>& disks) const;

  /// Removes the guest's links from `auto`; a regular file is moved into the
  /// folder, where nothing starts it.
  [[nodiscard]] result<void> remove_autostart(const guest_name& guest) const;

  /// For a guest whose disks all keep their names: renames its configurations,
  /// so that `xl create` finds none. May be repeated.
  ///
  /// @param disks  paths of which a configuration without a uuid must name one,
  ///               to be the guest's; none are needed of a guest without disks
  /// @return where they lie now, those of an earlier call too
  /// @error errc::busy when the name aside is taken
  [[nodiscard]] result<std::vector<std::string>> set_aside(
      const guest_name& guest, const std::vector<std::string>& disks) const;

  /// Takes that back, but for a name that is in use again.
  [[nodiscard]] result<void> bring_back(const guest_name& guest) const;

 private:
  [[nodiscard]] std::vector<std::string> autostart_of(const guest_name& guest,
                                                      bool hidden) const;
  /// The guest's own configurations in the folder, those set aside too.
  [[nodiscard]] std::vector<std::string> configs_of(
      const guest_name& guest, const std::vector<std::string>& disks) const;
  /// Where remove_autostart() moves a regular file of `auto`.
  [[nodiscard]] std::string beside_auto(const std::string& path) const;
  [[nodiscard]] result<std::string> place_for(
      const guest_name& guest, const std::vector<start_disk>& disks) const;

  std::string folder_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_START_FILES_HPP
