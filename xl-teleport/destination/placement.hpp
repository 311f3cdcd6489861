// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/placement.hpp: where an arriving guest's disks are
// put: on the shadows that an earlier visit left, on targets that a failed
// attempt has begun, or on new ones in the store.
//
// Order: foresee() for the ANSWER touches nothing; make() opens or makes the
// targets; settle() gives shadows their old names back, before xl sees them;
// then hand_to_guest() when the guest runs here, or put_back() when it does
// not. A seed ends with flush() and keep_as_shadows(), without settle().
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
#include "libteleport/disk/store.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/domain.hpp"

namespace teleport {

/// What make() would do.
struct foreseen {
  std::vector<offered_target> disks;
  std::uint64_t bytes_needed = 0;  ///< of new targets, at most
};

[[nodiscard]] result<foreseen> foresee(const guest_info& guest,
                                       const disk_book& book,
                                       disk_store& store);

class placement {
 public:
  [[nodiscard]] static result<std::unique_ptr<placement>> make(
      const guest_info& guest, disk_store& store, disk_book& book);

  [[nodiscard]] std::vector<offered_target> described() const;
  /// In the order of moved_disks(); valid until settle().
  [[nodiscard]] std::vector<target_disk> targets() const;
  /// The path that goes into the guest's configuration, by vdev.
  [[nodiscard]] std::map<std::string, std::string> paths() const;

  /// Renames adopted shadows back and opens them anew: no I/O may be under
  /// way, and targets() must be asked again.
  result<void> settle();
  /// Returns when everything written is on stable storage.
  result<void> flush();
  /// The guest owns these disks now: removes them from the book of kept disks.
  result<void> hand_to_guest();
  /// No guest comes with the disks: all of them become shadows. Flush before.
  result<void> keep_as_shadows();
  /// It does not: shadows are set aside again, new targets stay for the next
  /// attempt.
  result<void> put_back();

 private:
  struct spot {
    guest_disk disk;
    std::string uuid;  ///< under which the book has it
    std::string kind;
    std::string path;  ///< block device
    bool blank = false;
    std::unique_ptr<block_device> device;
    std::optional<placed_disk> placed;
    std::unique_ptr<disk_home> shadow;  ///< none of a target in the store
    bool settled = false;
  };

  placement(guest_info guest, disk_store& store, disk_book& book)
      : guest_(std::move(guest)), store_(store), book_(book) {}
  result<void> add(const guest_disk& disk);
  result<void> take_over(const kept_disk& kept, spot& place);
  [[nodiscard]] result<void> fit(const kept_disk& kept,
                                 disk_home& home,
                                 const spot& place);
  result<void> adopt(const kept_disk& kept, spot& place);
  result<void> create(const guest_disk& disk, spot& place);
  [[nodiscard]] kept_disk shadow_entry(const spot& place,
                                       const disk_home& home) const;
  void close_devices();

  guest_info guest_;
  disk_store& store_;
  disk_book& book_;
  std::vector<spot> spots_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_PLACEMENT_HPP
