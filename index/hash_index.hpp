// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/hash_index.hpp: content_lookup over the index.
//
// Nothing that is wrong with the index is an error to the caller: it answers
// "no donor", and the log says why, once.
//
// Threads: all calls from any number of threads at once.
// Blocks: every call may wait for a disk. Open after fork().
// Trust: as block_search.hpp.

#ifndef INDEX_HASH_INDEX_HPP
#define INDEX_HASH_INDEX_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "index/donor_cache.hpp"
#include "index/store.hpp"
#include "libteleport/migrate/content_lookup.hpp"

namespace teleport::index {

/// Donors held open at once.
inline constexpr std::size_t max_open_donors = 64;

class hash_index final : public content_lookup {
 public:
  /// Looks up in the index of `folder`. It need not be there.
  explicit hash_index(const std::string& folder);
  /// Looks up in an index that this process has open already.
  explicit hash_index(std::shared_ptr<store> tables);

  [[nodiscard]] std::vector<donor_run> find_blocks(
      std::span<const block_digest> wanted) override;
  [[nodiscard]] std::optional<donor_extent> find_extent(
      const extent_digest& wanted) override;
  result<void> read_donor(donor_id donor,
                          std::uint64_t offset,
                          std::span<std::byte> out) override;

  /// The donor's path, for reports; empty when it is not indexed any more.
  [[nodiscard]] std::string donor_path(donor_id donor);
  /// False when there is no index to look into; then every answer is "none".
  [[nodiscard]] bool usable() const noexcept { return tables_ != nullptr; }

 private:
  void warn_once(const error& cause);
  /// The disks at the snapshot's generation, read anew only when it changed.
  result<std::shared_ptr<const disk_table>> disks(const read_txn& txn);

  std::shared_ptr<store> tables_;
  std::atomic<bool> warned_ = false;
  std::mutex mutex_;  // guards disks_
  std::shared_ptr<const disk_table> disks_;
  donor_cache donors_{max_open_donors};
};

}  // namespace teleport::index

#endif  // INDEX_HASH_INDEX_HPP
