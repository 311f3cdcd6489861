// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/donor_set.hpp: which disks shall the index hold, and which
// device is each one written through? Listed ones, images of watched folders,
// disks of running guests: each once, under a name that outlives a reboot.
//
//   donor_set set(options);
//   auto plan = set.look(tables, std::chrono::steady_clock::now());
//   // first index::store::rename_disk() what is in `rename` and remove_disk()
//   // what is in `drop`, then
//   // index::scan_disk() what has no id yet, and track the devices of `hold`
//
// look() again when donor_watch says so, and now and then anyway: attaching a
// loop device, mounting and a disk that failed tell nobody.
//
// Threads: one owner. Blocks: stat, sysfs, small files, xenstored.

#ifndef TOOLS_TELEPORTD_DONOR_SET_HPP
#define TOOLS_TELEPORTD_DONOR_SET_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "tools/teleportd/donor_view.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// A disk that the index shall hold.
struct donor {
  std::string path;
  /// The block device that it is written through: to be tracked. Empty for a
  /// file that lies under no loop device.
  std::string device;
  /// In the index; 0: to be added under `path`.
  std::uint32_t id = 0;
  /// Nobody named it: to be added as such (index::added_by::itself).
  bool by_itself = false;
  /// The only domain that has the device; 0: none has, or several have.
  std::uint32_t guest = 0;

  friend bool operator==(const donor&, const donor&) = default;
};

/// A disk that is indexed and is not there.
struct missing_donor {
  std::uint32_t id = 0;  ///< 0: of an index that was lost
  std::string path;

  friend bool operator==(const missing_donor&, const missing_donor&) = default;
};

/// A disk that is there under another path than it is indexed.
struct renamed_donor {
  std::uint32_t id = 0;
  std::string from;
  std::string to;

  friend bool operator==(const renamed_donor&, const renamed_donor&) = default;
};

struct donor_plan {
  std::vector<donor> hold;
  /// To be done first; `hold` has them under their new paths.
  std::vector<renamed_donor> rename;
  /// Was added by itself and is gone for good, or is held under another name.
  std::vector<missing_donor> drop;
  /// False: xenstored did not tell, and `hold` has no guests.
  bool guests_known = false;
  /// Listed by hand: stays, and is worth a word to the administrator.
  std::vector<missing_donor> missing;
  /// Was added by itself and is not there: it may be an unmounted filesystem,
  /// or a volume group that is not active yet.
  std::vector<missing_donor> waiting;
};

/// Leaves the device out of all but the first `most`: those are followed, the
/// others scanned. Disks that a guest has come first.
///
/// @return how many were left out
std::size_t follow_at_most(std::size_t most, std::vector<donor>& disks);

/// Pure: looks at nothing but the view.
[[nodiscard]] donor_plan choose_donors(const donor_view& view);

/// How long a disk that nobody named may be missing. A file that was deleted
/// from a filesystem that is there is gone at once.
inline constexpr std::chrono::minutes gone_for_good{10};

class donor_set {
 public:
  using guest_source = std::function<result<std::vector<running_disk>>()>;

  explicit donor_set(settings options,
                     guest_source guests = running_guest_disks,
                     host_roots roots = {});

  /// @error the index cannot be read; all else that fails is logged, and then
  ///        nothing is added or dropped for it
  [[nodiscard]] result<donor_plan> look(
      index::store& tables, std::chrono::steady_clock::time_point now);

 private:
  void look_for_new(donor_view& view);
  void remember(const donor_plan& plan,
                std::chrono::steady_clock::time_point now);
  void tell(std::string& last, const std::string& failure);

  settings options_;
  guest_source guests_;
  host_roots roots_;
  std::map<std::uint32_t, std::chrono::steady_clock::time_point> missed_since_;
  // What was logged last, so that it is said once.
  std::string guests_failure_;
  std::string targets_failure_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DONOR_SET_HPP
