// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/hash_index.hpp"

#include <utility>

#include "index/block_search.hpp"
#include "libteleport/base/log.hpp"

namespace teleport::index {

hash_index::hash_index(const std::string& folder) {
  result<std::unique_ptr<store>> opened = store::open(folder, {});
  if (opened) {
    tables_ = std::move(*opened);
  } else {
    warn_once(opened.error());
  }
}

hash_index::hash_index(std::shared_ptr<store> tables)
    : tables_(std::move(tables)) {}

void hash_index::warn_once(const error& cause) {
  if (!warned_.exchange(true)) {
    log_warning("looking up without donors: " + cause.context);
  }
}

result<std::shared_ptr<const disk_table>> hash_index::disks(
    const read_txn& txn) {
  const result<std::uint64_t> generation = tables_->generation(txn);
  if (!generation) {
    return generation.error();
  }
  {
    const std::lock_guard lock(mutex_);
    if (disks_ && disks_->generation() == *generation) {
      return disks_;
    }
  }
  result<disk_table> read = tables_->disks(txn);
  if (!read) {
    return read.error();
  }
  auto fresh = std::make_shared<const disk_table>(std::move(*read));
  const std::lock_guard lock(mutex_);
  disks_ = fresh;
  return std::shared_ptr<const disk_table>(std::move(fresh));
}

std::vector<donor_run> hash_index::find_blocks(
    std::span<const block_digest> wanted) {
  if (!tables_ || wanted.empty()) {
    return {};
  }
  const result<read_txn> txn = tables_->begin_read();
  if (!txn) {
    warn_once(txn.error());
    return {};
  }
  const result<std::shared_ptr<const disk_table>> all = disks(*txn);
  if (!all) {
    warn_once(all.error());
    return {};
  }
  result<std::vector<donor_run>> runs =
      block_search(*tables_, *txn, **all).find_blocks(wanted);
  if (!runs) {
    warn_once(runs.error());
    return {};
  }
  return std::move(*runs);
}

std::optional<donor_extent> hash_index::find_extent(
    const extent_digest& wanted) {
  if (!tables_) {
    return std::nullopt;
  }
  const result<read_txn> txn = tables_->begin_read();
  if (!txn) {
    warn_once(txn.error());
    return std::nullopt;
  }
  const result<std::shared_ptr<const disk_table>> all = disks(*txn);
  if (!all) {
    warn_once(all.error());
    return std::nullopt;
  }
  const result<std::optional<donor_extent>> found =
      block_search(*tables_, *txn, **all).find_extent(wanted);
  if (!found) {
    warn_once(found.error());
    return std::nullopt;
  }
  return *found;
}

std::string hash_index::donor_path(donor_id donor) {
  if (!tables_) {
    return {};
  }
  const result<read_txn> txn = tables_->begin_read();
  if (!txn) {
    return {};
  }
  const result<std::shared_ptr<const disk_table>> all = disks(*txn);
  const disk_record* disk = all ? (*all)->by_id(donor) : nullptr;
  return disk == nullptr ? std::string() : disk->path;
}

result<void> hash_index::read_donor(donor_id donor,
                                    std::uint64_t offset,
                                    std::span<std::byte> out) {
  const std::string path = donor_path(donor);
  if (path.empty()) {
    return error(errc::not_found,
                 "donor " + std::to_string(donor) + " is not in the index");
  }
  return donors_.read(path, offset, out);
}

}  // namespace teleport::index
