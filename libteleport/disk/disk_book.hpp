// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_book.hpp: which disks this host keeps for guests that
// are not here: shadows left behind, and targets that a failed attempt has
// begun to fill. The next teleport of the guest adopts them.
//
// One JSON file an entry, under the guest's uuid and the disk's name. What an
// entry says of contents is never believed: a teleport proves every extent.
//
// Blocks: on small files, until durable.
// Trust: files of our own, but every field is checked.

#ifndef LIBTELEPORT_DISK_DISK_BOOK_HPP
#define LIBTELEPORT_DISK_DISK_BOOK_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_identity.hpp"

namespace teleport {

struct kept_disk {
  std::string guest;  ///< its name, for people
  std::string uuid;
  std::string vdev;
  std::uint64_t size = 0;
  /// A shadow: where it came from and where it lies.
  std::optional<disk_place> shadow;
  /// A target begun in a store: its backing there. One of the two is set.
  std::string partial;
  /// Which disk it is, whatever its name names now. None in entries that were
  /// written before this was kept, and where it cannot be told.
  std::optional<disk_identity> identity;
  /// SHA-256 of the certificate of the host that brought the content, or to
  /// which the guest went. Empty in entries of release 0.1.0.
  std::string peer;
  /// A guest of this host left it here, and no other host brought it.
  bool own = false;
};

/// Stands for the uuid of a guest of which only the name is known: the same for
/// the same name, and no real guest's (RFC 9562, version 8).
[[nodiscard]] std::string uuid_of_name(std::string_view name);

/// An entry as JSON and back, on one line.
///
/// @error errc::corrupt
[[nodiscard]] std::string kept_disk_text(const kept_disk& disk);
[[nodiscard]] result<kept_disk> read_kept_disk(std::string_view text);

class disk_book {
 public:
  /// @param folder  made when missing
  [[nodiscard]] static result<disk_book> open(const std::string& folder);

  result<void> write(const kept_disk& disk);
  [[nodiscard]] result<std::optional<kept_disk>> find(
      const std::string& uuid, const std::string& vdev) const;
  /// The entry for a guest's disk of this size: under its uuid, or else one of
  /// its name where the uuid is not known on one of the two sides. What was
  /// seeded for a name is found by the guest of that name. The reverse holds
  /// for the host that brought the guest's disk, or to which the guest went,
  /// and for no other: a name can be guessed.
  [[nodiscard]] result<std::optional<kept_disk>> find_for(
      const kept_disk& wanted) const;
  result<void> remove(const std::string& uuid, const std::string& vdev);
  /// When the entry was written: of a shadow, when its content had come, or its
  /// guest had gone.
  ///
  /// @return seconds since 1970
  [[nodiscard]] result<std::int64_t> written_at(const std::string& uuid,
                                                const std::string& vdev) const;
  /// Damaged entries are left out and logged.
  [[nodiscard]] result<std::vector<kept_disk>> all() const;

 private:
  explicit disk_book(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] result<std::string> path_of(const std::string& uuid,
                                            const std::string& vdev) const;
  std::string folder_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_BOOK_HPP
