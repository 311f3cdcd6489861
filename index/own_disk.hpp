// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/own_disk.hpp: what a disk of this host holds, told from the index
// without reading the disk: where the disk was scanned under a standing tracker
// and the tracker says that an extent was not written since.
//
// Threads: as known_content.
// Blocks: as known_content.
// Trust: unlike a look-up's, these answers are not proven by reading. They
//        come from values whose checksum holds, of a record that the disk's
//        tracker covers (coverage.hpp), and audit() proves the tracker.

#ifndef INDEX_OWN_DISK_HPP
#define INDEX_OWN_DISK_HPP

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/migrate/known_content.hpp"

namespace teleport::index {

class own_disk final : public known_content {
 public:
  /// @param tables    the index, read-only or not
  /// @param trackers  folder of the standing trackers
  /// @param device    which the guest writes
  /// @param guest     the only domain that has the disk; 0: nothing is told
  /// @return nullptr, when the index does not follow the disk; why is logged
  [[nodiscard]] static std::unique_ptr<own_disk> open(
      std::shared_ptr<store> tables,
      const std::string& trackers,
      const std::string& device,
      std::uint32_t guest);

  [[nodiscard]] std::optional<known_extent> find(std::uint64_t extent) override;
  [[nodiscard]] result<void> check() override;
  [[nodiscard]] result<void> audit() override;
  void mark_told(dirty_map& dirty) override;

 private:
  own_disk(std::shared_ptr<store> tables,
           std::unique_ptr<standing_tracker> tracker)
      : tables_(std::move(tables)), tracker_(std::move(tracker)) {}
  /// Reads the disk's record; false when the tracker does not cover it.
  [[nodiscard]] result<bool> read_record(const read_txn& txn);
  [[nodiscard]] std::optional<known_extent> known(std::uint64_t extent);
  /// That record and tracker still belong together.
  [[nodiscard]] result<void> check_record();
  [[nodiscard]] result<void> audit_at_rest();
  /// Tells nothing from now on.
  error doubt(error why);
  /// The group's value in `value_`; false when nothing is known.
  [[nodiscard]] bool load(std::uint32_t number);

  std::shared_ptr<store> tables_;
  std::unique_ptr<standing_tracker> tracker_;
  std::mutex mutex_;  // guards all below
  disk_record record_;
  std::optional<std::uint64_t> generation_;
  bool sure_of_zeros_ = false;
  /// The group that was asked for last: its value, or none when it is zeros.
  std::optional<std::uint32_t> number_;
  std::optional<byte_buffer> value_;
  std::vector<bool> told_;  ///< by extent
  bool doubted_ = false;
};

}  // namespace teleport::index

#endif  // INDEX_OWN_DISK_HPP
