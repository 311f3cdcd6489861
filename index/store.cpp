// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/store.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>

#include "index/set_aside.hpp"

namespace teleport::index {

namespace {

constexpr std::uint64_t slots_in_all = std::uint64_t{1} << 32U;
constexpr std::string_view state_key = "state";

/// The byte of scan.lock that is locked while an index is opened for writing:
/// one process judges and sets aside, the next finds the new one.
constexpr off_t opening_byte = 0;

result<unique_fd> lock_byte(const std::string& folder,
                            off_t number,
                            int operation,
                            off_t length = 1) {
  const std::string path = folder + "/scan.lock";
  unique_fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = number;
  range.l_len = length;
  if (!lock || ::fcntl(lock.get(), operation, &range) != 0) {
    return lock && (errno == EAGAIN || errno == EACCES)
               ? error(errc::busy,
                       "being scanned or removed by another process")
               : system_error(errno, path);
  }
  return lock;
}

/// Errors after which a new index is begun in its place.
bool unusable(const error& cause) {
  return cause.code == errc::corrupt || cause.code == errc::unsupported;
}

}  // namespace

disk_table::disk_table(std::vector<disk_record> disks, std::uint64_t generation)
    : disks_(std::move(disks)), generation_(generation) {
  std::sort(disks_.begin(),
            disks_.end(),
            [](const disk_record& a, const disk_record& b) {
              return a.base < b.base;
            });
}

const disk_record* disk_table::owner(slot_number slot) const noexcept {
  const auto after = std::upper_bound(
      disks_.begin(),
      disks_.end(),
      slot,
      [](slot_number s, const disk_record& disk) { return s < disk.base; });
  if (after == disks_.begin()) {
    return nullptr;
  }
  const disk_record& disk = *std::prev(after);
  return disk.owns(slot) ? &disk : nullptr;
}

const disk_record* disk_table::by_id(std::uint32_t id) const noexcept {
  const auto at =
      std::find_if(disks_.begin(), disks_.end(), [id](const disk_record& disk) {
        return disk.id == id;
      });
  return at == disks_.end() ? nullptr : &*at;
}

const disk_record* disk_table::by_tracker(
    const unique_id& tracker) const noexcept {
  const auto found = std::ranges::find(disks_, tracker, &disk_record::tracker);
  return found == disks_.end() ? nullptr : &*found;
}

const disk_record* disk_table::by_path(std::string_view path) const {
  const auto at = std::find_if(
      disks_.begin(), disks_.end(), [path](const disk_record& disk) {
        return disk.path == path;
      });
  return at == disks_.end() ? nullptr : &*at;
}

std::optional<slot_number> disk_table::room_for(std::uint64_t extents) const {
  std::uint64_t base = 0;
  for (const disk_record& disk : disks_) {
    if (disk.base >= base + extents) {
      break;
    }
    base = std::max(base, disk.end_slot());
  }
  if (base + extents + group_extents > slots_in_all) {
    return std::nullopt;
  }
  return static_cast<slot_number>(base);
}

result<std::unique_ptr<store>> store::open(const std::string& folder,
                                           const store_options& options) {
  std::error_code failed;
  if (options.writable) {
    std::filesystem::create_directories(folder, failed);
    if (failed) {
      return system_error(failed.value(), folder);
    }
  }
  // One folder under two names would be two environments to LMDB's caller.
  const std::string real = std::filesystem::weakly_canonical(folder, failed);
  const std::string& home = failed ? folder : real;
  if (!options.writable) {
    return open_once(home, options);
  }
  const result<unique_fd> alone = lock_byte(home, opening_byte, F_OFD_SETLKW);
  if (!alone) {
    return alone.error();
  }
  result<std::unique_ptr<store>> made = open_once(home, options);
  if (!made && unusable(made.error())) {
    result<void> moved = set_aside(home, made.error());
    if (!moved) {
      return moved.error();
    }
    made = open_once(home, options);
  }
  if (made) {
    result<void> listed = (*made)->list_paths();
    if (!listed) {
      return listed.error();
    }
  }
  return made;
}

result<std::unique_ptr<store>> store::open_once(const std::string& folder,
                                                const store_options& options) {
  std::unique_ptr<store> made(new store(folder));
  lmdb_options map = options.map;
  map.writable = options.writable;
  result<std::unique_ptr<lmdb_env>> env = lmdb_env::open(folder, map);
  if (!env) {
    return env.error();
  }
  made->env_ = std::move(*env);
  result<void> opened = made->open_tables();
  if (!opened) {
    return opened.error();
  }
  return made;
}

/// A crash may have come between writing the table `disks` and writing the
/// list.
result<void> store::list_paths() {
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  std::vector<std::string> paths;
  for (const disk_record& disk : all->all()) {
    if (!disk.by_itself) {
      paths.push_back(disk.path);
    }
  }
  return paths_.add(paths);
}

result<std::vector<std::string>> store::lost_paths() {
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  result<std::vector<std::string>> lost = paths_.read();
  if (lost) {
    std::erase_if(*lost, [&](const std::string& path) {
      return all->by_path(path) != nullptr;
    });
  }
  return lost;
}

result<void> store::open_tables() {
  const std::pair<const char*, lmdb_table*> tables[] = {{"state", &state_},
                                                        {"disks", &disks_},
                                                        {"groups", &groups_},
                                                        {"buckets", &buckets_},
                                                        {"extents", &extents_}};
  for (const auto& [name, table] : tables) {
    result<lmdb_table> opened = env_->table(name);
    if (!opened) {
      return opened.error();
    }
    *table = *opened;
  }
  return check_version();
}

result<void> store::check_version() {
  result<read_txn> txn = env_->begin_read();
  if (!txn) {
    return txn.error();
  }
  const auto value = txn->get(state_, as_bytes(state_key));
  if (!value) {
    return value.error();
  }
  if (!*value) {
    return {};  // nothing was ever added
  }
  const std::optional<state_record> state = decode_state(**value);
  if (!state) {
    return error(errc::corrupt, "index " + folder_ + " has no whole state");
  }
  if (state->version != format_version) {
    return error(
        errc::unsupported,
        "index " + folder_ + " is of format " + std::to_string(state->version) +
            ", this program knows format " + std::to_string(format_version));
  }
  return {};
}

result<std::uint64_t> store::generation(const read_txn& txn) const {
  const auto value = txn.get(state_, as_bytes(state_key));
  if (!value) {
    return value.error();
  }
  const std::optional<state_record> state =
      *value ? decode_state(**value) : std::nullopt;
  return state ? state->generation : std::uint64_t{0};
}

result<unique_id> store::instance(const read_txn& txn) const {
  const auto value = txn.get(state_, as_bytes(state_key));
  if (!value) {
    return value.error();
  }
  const std::optional<state_record> state =
      *value ? decode_state(**value) : std::nullopt;
  return state ? state->instance : unique_id();
}

result<unique_id> store::instance() {
  result<read_txn> txn = env_->begin_read();
  return txn ? instance(*txn) : result<unique_id>(txn.error());
}

result<disk_table> store::read_disks(const lmdb_view& txn) const {
  const auto value = txn.get(state_, as_bytes(state_key));
  if (!value) {
    return value.error();
  }
  const std::optional<state_record> state =
      *value ? decode_state(**value) : std::nullopt;
  result<lmdb_cursor> cursor = txn.cursor(disks_);
  if (!cursor) {
    return cursor.error();
  }
  std::vector<disk_record> disks;
  result<bool> more = cursor->seek({});
  for (; more && *more; more = cursor->next()) {
    const auto id = key_number(cursor->key());
    std::optional<disk_record> disk =
        id ? decode_disk(*id, cursor->value()) : std::nullopt;
    if (disk) {
      disks.push_back(std::move(*disk));
    }
  }
  if (!more) {
    return more.error();
  }
  return disk_table(std::move(disks), state ? state->generation : 0);
}

result<disk_table> store::disks() {
  result<read_txn> txn = env_->begin_read();
  if (!txn) {
    return txn.error();
  }
  return read_disks(*txn);
}

result<disk_table> store::disks(const read_txn& txn) const {
  return read_disks(txn);
}

result<disk_lock> store::lock_disk(std::uint32_t id) const {
  return lock_byte(folder_, id, F_OFD_SETLK);
}

result<void> store::wait_for_disk(std::uint32_t id) const {
  const auto lock = lock_byte(folder_, id, F_OFD_SETLKW);
  return lock ? result<void>() : result<void>(lock.error());
}

result<disk_lock> store::lock_all_disks() const {
  constexpr off_t to_the_end = 0;
  return lock_byte(folder_, opening_byte + 1, F_OFD_SETLK, to_the_end);
}

result<std::optional<byte_buffer>> store::group(std::uint32_t number) {
  result<read_txn> txn = env_->begin_read();
  if (!txn) {
    return txn.error();
  }
  const auto value = txn->get(groups_, big_endian_key(number));
  if (!value) {
    return value.error();
  }
  std::optional<byte_buffer> found;
  if (*value) {
    const std::optional<group_view> view = group_view::parse(**value);
    if (view && view->intact(number)) {
      found.emplace((*value)->begin(), (*value)->end());
    }
  }
  // A missed page has no entries: what is not there may only be unreadable.
  if (auto whole = env_->check_whole(); !whole) {
    return whole.error();
  }
  return found;
}

namespace {

result<std::vector<std::uint32_t>> keys_in(const read_txn& txn,
                                           lmdb_table table,
                                           std::uint32_t first,
                                           std::uint32_t last) {
  std::vector<std::uint32_t> numbers;
  result<lmdb_cursor> cursor = txn.cursor(table);
  if (!cursor) {
    return cursor.error();
  }
  result<bool> more = cursor->seek(big_endian_key(first));
  for (; more && *more; more = cursor->next()) {
    const auto number = key_number(cursor->key());
    if (!number || *number >= last) {
      break;
    }
    numbers.push_back(*number);
  }
  if (!more) {
    return more.error();
  }
  return numbers;
}

}  // namespace

result<std::vector<std::uint32_t>> store::groups_in(std::uint32_t first,
                                                    std::uint32_t last) {
  result<read_txn> txn = env_->begin_read();
  if (!txn) {
    return txn.error();
  }
  return keys_in(*txn, groups_, first, last);
}

result<std::uint64_t> store::group_sum(const disk_record& disk) {
  const result<read_txn> txn = env_->begin_read();
  return txn ? group_sum(*txn, disk) : txn.error();
}

result<std::uint64_t> store::group_sum(const read_txn& txn,
                                       const disk_record& disk) const {
  const auto numbers =
      keys_in(txn,
              groups_,
              disk.base / group_extents,
              static_cast<std::uint32_t>(disk.end_slot() / group_extents));
  return numbers ? result<std::uint64_t>(sum_of_groups(*numbers))
                 : numbers.error();
}

}  // namespace teleport::index
