// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/store_rename.cpp: a disk of the index gets another path.

#include "index/store.hpp"

namespace teleport::index {

result<void> store::rename_disk(std::uint32_t id, const std::string& path) {
  std::string before;
  result<void> done = env_->write([&](write_txn& txn) -> result<void> {
    const auto all = read_disks(txn);
    auto disk = stored_disk(txn, id);
    if (!all || !disk) {
      return all ? disk.error() : all.error();
    }
    const disk_record* const other = all->by_path(path);
    if (other != nullptr && other->id != id) {
      return error(errc::busy, path + " is in the index already");
    }
    before = disk->path;
    disk->path = path;
    return put_disk(txn, *disk);
  });
  // After a crash before the list has the new path, the next opening of the
  // index adds it; the old path then counts as a missing disk.
  if (done) {
    done = paths_.rename(before, path);
  }
  return done ? pauses_.rename(before, path) : done;
}

}  // namespace teleport::index
