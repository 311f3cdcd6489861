// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/placement.hpp: where an arriving guest's disks are
// put: on the shadows that an earlier visit left, on targets that a failed
// attempt has begun, or on new ones in the store.
//
// Order: foresee() for the ANSWER touches nothing; make() opens or makes the
// targets; share() before xl has them. A shadow keeps its name aside until the
// guest runs: release_to_guest() then, and finish_arrival() for kept().
// put_back() when it does not run. A seed ends with flush() and
// keep_as_shadows().
//
// Blocks: on disks and on LVM: pool threads.

#ifndef XL_TELEPORT_DESTINATION_PLACEMENT_HPP
#define XL_TELEPORT_DESTINATION_PLACEMENT_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/guest_claims.hpp"
#include "xl-teleport/setup/kept_standing.hpp"

namespace teleport {

/// What make() would do.
struct foreseen {
  struct need {
    disk_space space;
    std::uint64_t bytes = 0;  ///< at most
  };
  std::vector<offered_target> disks;
  /// Of each pool that disks take space from, the store's first.
  std::vector<need> needs;
  /// Disks that could not be made or grown, and pools that are too small
  /// other than the store's.
  std::vector<problem> problems;
};

/// @param peer  brings the guest
[[nodiscard]] result<foreseen> foresee(const guest_info& guest,
                                       const disk_book& book,
                                       disk_store& store,
                                       const kept_review& review,
                                       const known_peer& peer);

/// Where a session's targets are found and made. All of it outlives them.
struct placement_host {
  disk_store& store;
  disk_book& book;
  guest_claims& claims;
  /// Brings the guest.
  known_peer peer;
};

class placement {
 public:
  [[nodiscard]] static result<std::unique_ptr<placement>> make(
      const guest_info& guest, placement_host here, const kept_review& review);

  [[nodiscard]] std::vector<offered_target> described() const;
  /// The entries that the book has of them.
  [[nodiscard]] std::vector<kept_disk> kept() const;
  /// In the order of moved_disks(); asked again after share().
  [[nodiscard]] std::vector<target_disk> targets() const;
  /// The path that goes into the guest's configuration, by vdev.
  [[nodiscard]] std::map<std::string, std::string> paths() const;

  /// Others may write to the disks from now on: none counts as blank any more.
  void share();
  /// Returns when everything written is on stable storage.
  result<void> flush();
  /// The guest has these disks now: closes them.
  void release_to_guest();
  /// No guest comes with the disks: all of them become shadows. Flush before.
  result<void> keep_as_shadows();
  /// It does not: shadows are set aside again, new targets stay for the next
  /// attempt.
  result<void> put_back();

 private:
  struct spot {
    guest_disk disk;
    kept_disk entry;  ///< the book's
    std::string kind;
    std::string path;  ///< block device
    bool blank = false;
    std::unique_ptr<block_device> device;
    std::optional<placed_disk> placed;
    std::unique_ptr<disk_home> shadow;  ///< none of a target in the store
  };

  placement(guest_info guest, placement_host here)
      : guest_(std::move(guest)), here_(std::move(here)) {}
  [[nodiscard]] result<std::optional<kept_disk>> claim_kept(
      const guest_disk& disk, const kept_review& review);
  result<void> add(const guest_disk& disk, const kept_review& review);
  result<void> take_over(spot& place);
  [[nodiscard]] result<void> fit(disk_home& home, spot& place);
  result<void> adopt(spot& place);
  result<void> create(const guest_disk& disk, spot& place);
  void close_devices();

  guest_info guest_;
  placement_host here_;
  std::vector<spot> spots_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_PLACEMENT_HPP
