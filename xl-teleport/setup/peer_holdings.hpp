// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/peer_holdings.hpp: how much of this host's disks a paired
// host has brought: kept disks and targets, of which the book tells, and the
// disks of limited hosts' guests that run here, which have a book of their own.
// A disk counts with its whole size: its holes may be filled at any time. What
// a guest of this host has left here is this host's own.
//
// Threads: plain values; the functions on files any, one at a time for one
//          guest. Blocks: these, on small files and LVM.

#ifndef XL_TELEPORT_SETUP_PEER_HOLDINGS_HPP
#define XL_TELEPORT_SETUP_PEER_HOLDINGS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/xen/facts.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class peer_holdings {
 public:
  /// @param kept     entries of the book of kept disks
  /// @param arrived  disks of guests that limited hosts have brought
  peer_holdings(std::vector<kept_disk> kept, std::vector<kept_disk> arrived)
      : kept_(std::move(kept)), arrived_(std::move(arrived)) {}

  /// Reads both. An arrived disk that is gone, or another by now, is none.
  [[nodiscard]] static result<peer_holdings> read(const settings& config);

  /// Bytes of the host that has this key.
  [[nodiscard]] std::uint64_t bytes_of(const std::string& key) const;
  /// The same once a guest's disks are here, in the place of those that are
  /// kept for it; of what is this host's own only what it grows by.
  [[nodiscard]] std::uint64_t bytes_with(const std::string& key,
                                         const guest_info& guest) const;
  /// Whether it brought a disk of this guest, or was sent one.
  [[nodiscard]] bool has_of(const std::string& key,
                            const std::string& uuid) const;

 private:
  std::vector<kept_disk> kept_;
  std::vector<kept_disk> arrived_;
};

/// Notes that the guest of a limited host runs on this disk. A host of ours has
/// no quota, and nothing is noted.
[[nodiscard]] result<void> note_arrived_disk(const kept_disk& disk,
                                             const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_PEER_HOLDINGS_HPP
