// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/donor_meter.hpp: a session's way to this host's
// donors. It counts what its source names by digests and does not bring, by
// which a source asks what is on this host's disks, with what the same host did
// in its other sessions of the last day. Past the limit no donor is found for
// it: its guests' disks cross the link whole.
//
// The counts are in memory that outlives a session and a teleportd, and not a
// boot: a file of 192 bytes below /run for each host.
//
// Threads: count() and settle() one; the lookups any. Blocks: the lookups, as
//          what they ask.
// Trust:   the numbers follow from a peer's records.

#ifndef XL_TELEPORT_DESTINATION_DONOR_METER_HPP
#define XL_TELEPORT_DESTINATION_DONOR_METER_HPP

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/shared_map.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/digest_account.hpp"

namespace teleport {

class donor_meter : public content_lookup {
 public:
  /// Where no counts can be had, no donor is found.
  ///
  /// @param name, key  of the host; the key is that it was first paired with
  donor_meter(std::unique_ptr<content_lookup> donors,
              std::string name,
              const std::string& run_path,
              const std::string& key);

  /// Adds what has become untrue since the last call.
  void count(const digest_account& now);
  /// The session has no more to bring: what it has not brought counts, too.
  void settle(const digest_account& now);

  [[nodiscard]] std::vector<donor_run> find_blocks(
      std::span<const block_digest> wanted) override;
  [[nodiscard]] std::optional<donor_extent> find_extent(
      const extent_digest& wanted) override;
  result<void> read_donor(donor_id donor,
                          std::uint64_t offset,
                          std::span<std::byte> out) override;

 private:
  void add(std::uint64_t blocks);

  std::unique_ptr<content_lookup> donors_;
  std::string name_;
  shared_map counts_;
  std::uint64_t counted_ = 0;
  std::atomic<bool> open_ = true;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_DONOR_METER_HPP
