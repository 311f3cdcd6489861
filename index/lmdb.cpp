// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/lmdb.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include <sys/stat.h>

#include "index/lmdb_convert.hpp"
#include "index/page_check.hpp"

namespace teleport::index {

namespace {

constexpr unsigned max_tables = 16;
/// Threads of all processes that look up at once.
constexpr unsigned max_readers = 510;
constexpr mdb_mode_t file_mode = 0600;
/// A snapshot can be overtaken by two commits while it is being checked.
constexpr int check_attempts = 5;
/// Another process may grow the map again while we follow.
constexpr int begin_attempts = 10;

/// Folders open in this process.
struct open_folders {
  std::mutex mutex;  // guards names
  std::set<std::string> names;
};
open_folders& folders() {
  static open_folders all;
  return all;
}

}  // namespace

result<std::unique_ptr<lmdb_env>> lmdb_env::open(const std::string& folder,
                                                 const lmdb_options& options) {
  const std::string data_file = folder + "/data.mdb";
  result<bool> present = check_meta_pages(data_file);
  // The meta page may have been read in the middle of a commit's write.
  for (int i = 1; i < check_attempts && !present; ++i) {
    present = check_meta_pages(data_file);
  }
  if (!present) {
    return in_context("index " + folder, present.error());
  }
  if (!*present && !options.writable) {
    return error(errc::not_found, "no index in " + folder);
  }
  std::unique_ptr<lmdb_env> env(new lmdb_env);
  env->folder_ = folder;
  env->writable_ = options.writable;
  env->max_map_bytes_ = options.max_map_bytes;
  {
    open_folders& open = folders();
    const std::lock_guard lock(open.mutex);
    if (!open.names.insert(folder).second) {
      return error(errc::busy, "index " + folder + " is open already");
    }
    env->registered_ = true;
  }
  const std::string what = "index " + folder;
  result<void> started = env->start(options.map_bytes);
  if (!started) {
    return in_context(what, started.error());
  }
  result<void> checked = env->check_pages(data_file);
  if (!checked) {
    return in_context(what, checked.error());
  }
  return env;
}

result<void> lmdb_env::start(std::uint64_t map_bytes) {
  int code = mdb_env_create(&env_);
  if (code == 0) {
    code = mdb_env_set_maxdbs(env_, max_tables);
  }
  if (code == 0) {
    code = mdb_env_set_maxreaders(env_, max_readers);
  }
  if (code == 0 && writable_) {
    code = mdb_env_set_mapsize(env_, map_bytes);
  }
  // Look-ups are random: read-ahead would fetch pages that are not used.
  const unsigned flags =
      MDB_NOTLS | MDB_NORDAHEAD |
      (writable_ ? unsigned{MDB_NOMETASYNC} : unsigned{MDB_RDONLY});
  if (code == 0) {
    code = mdb_env_open(env_, folder_.c_str(), flags, file_mode);
  }
  int dead = 0;
  if (code == 0) {
    code = mdb_reader_check(env_, &dead);
  }
  mdb_filehandle_t fd = -1;
  if (code == 0) {
    code = mdb_env_get_fd(env_, &fd);
  }
  if (code != 0) {
    return lmdb_error(code, "opening");
  }
  guard_.watch(fd);
  return {};
}

/// After a meta page could not be written LMDB refuses everything until the
/// environment is opened again. The last commit is lost, no more.
/// Needs the gate; waits until no transaction of this process is open.
result<void> lmdb_env::restart() {
  const std::lock_guard alone(map_);
  const std::uint64_t map_size = map_bytes();
  mdb_env_close(env_);
  env_ = nullptr;
  result<void> started = start(map_size);
  MDB_txn* txn = nullptr;
  int code = started ? mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) : 0;
  // LMDB gives handles in the order of opening, so they are as before.
  for (std::size_t i = 0; started && code == 0 && i < tables_.size(); ++i) {
    MDB_dbi handle = 0;
    code = mdb_dbi_open(txn, tables_[i].name.c_str(), 0, &handle);
    if (code == 0 && handle != tables_[i].handle) {
      code = MDB_BAD_DBI;
    }
  }
  if (txn != nullptr) {
    code = code == 0 ? mdb_txn_commit(txn) : (mdb_txn_abort(txn), code);
  }
  if (started && code == 0) {
    return {};
  }
  return started ? lmdb_error(code, "index " + folder_) : started;
}

lmdb_env::~lmdb_env() {
  if (env_ != nullptr) {
    mdb_env_close(env_);
  }
  if (registered_) {
    open_folders& open = folders();
    const std::lock_guard lock(open.mutex);
    open.names.erase(folder_);
  }
}

/// The snapshot is held while its pages are walked, so that no writer reuses
/// them; the meta page that names its roots may be overwritten even so, or be
/// met half written, and then a newer snapshot is tried.
result<void> lmdb_env::check_pages(const std::string& data_file) {
  result<bool> done = false;
  for (int i = 0; i < check_attempts && !(done && *done); ++i) {
    result<read_txn> txn = begin_read();
    if (!txn) {
      return txn.error();
    }
    done = check_tree_pages(data_file, mdb_txn_id(txn->txn_), writable_);
  }
  if (!done) {
    return done.error();
  }
  return {};
}

result<lmdb_table> lmdb_env::table(const char* name) {
  MDB_dbi handle = 0;
  if (writable_) {
    result<void> made = write([&](write_txn& txn) -> result<void> {
      const int code = mdb_dbi_open(txn.txn_, name, MDB_CREATE, &handle);
      if (code != 0) {
        txn.map_full_ = code == MDB_MAP_FULL;
        return lmdb_error(code, "index");
      }
      return {};
    });
    if (!made) {
      return made.error();
    }
    tables_.push_back({name, handle});
    return lmdb_table{handle};
  }
  result<MDB_txn*> txn = begin(MDB_RDONLY);
  if (!txn) {
    return txn.error();
  }
  int code = mdb_dbi_open(*txn, name, 0, &handle);
  if (code != 0) {
    mdb_txn_abort(*txn);
  } else {
    code = mdb_txn_commit(*txn);  // keeps the handle
  }
  map_.unlock_shared();
  if (code != 0) {
    return lmdb_error(code, std::string("index table ") + name);
  }
  tables_.push_back({name, handle});
  return lmdb_table{handle};
}

/// A file cut short is damage, whether a page was missed already or not.
result<void> lmdb_env::check_whole() {
  const std::uint64_t now = file_bytes();
  std::uint64_t before = largest_;
  while (now > before && !largest_.compare_exchange_weak(before, now)) {
  }
  if (now < before || guard_.broken() || env_ == nullptr) {
    return error(errc::corrupt,
                 "index " + folder_ + " was cut short while it was in use");
  }
  return {};
}

/// Needs the gate; waits until no transaction of this process is open.
/// @param map_bytes  0: what another process has made it
result<void> lmdb_env::resize(std::uint64_t map_bytes) {
  const std::lock_guard alone(map_);
  const int code = mdb_env_set_mapsize(env_, map_bytes);
  if (code != 0) {
    return lmdb_error(code, "growing the map of index " + folder_);
  }
  mdb_filehandle_t fd = -1;
  (void)mdb_env_get_fd(env_, &fd);
  guard_.watch(fd);
  return {};
}

/// On success map_ is held shared.
result<MDB_txn*> lmdb_env::begin(unsigned flags) {
  for (int attempt = 0; attempt < begin_attempts; ++attempt) {
    MDB_txn* txn = nullptr;
    {
      const std::lock_guard gate(gate_);
      map_.lock_shared();
    }
    result<void> whole = check_whole();
    if (!whole) {
      map_.unlock_shared();
      return whole.error();
    }
    int code = mdb_txn_begin(env_, nullptr, flags, &txn);
    if (code == 0) {
      return txn;
    }
    map_.unlock_shared();
    if (code == MDB_MAP_RESIZED) {
      // Another process has grown the map; 0 takes its size over.
      const std::lock_guard gate(gate_);
      result<void> followed = resize(0);
      if (!followed) {
        return followed.error();
      }
      code = 0;
    } else if (code == MDB_PANIC && attempt == 0) {
      const std::lock_guard gate(gate_);
      result<void> again = restart();
      if (!again) {
        return again.error();
      }
      code = 0;
    } else if (code == MDB_READERS_FULL && attempt == 0) {
      int dead = 0;
      code = mdb_reader_check(env_, &dead);
    }
    if (code != 0) {
      return lmdb_error(code, "index " + folder_);
    }
  }
  return error(errc::busy, "index " + folder_ + ": the map keeps growing");
}

result<read_txn> lmdb_env::begin_read() {
  result<MDB_txn*> txn = begin(MDB_RDONLY);
  if (!txn) {
    return txn.error();
  }
  return read_txn(*txn,
                  std::shared_lock<std::shared_mutex>(map_, std::adopt_lock));
}

result<void> lmdb_env::grow() {
  const std::lock_guard gate(gate_);
  const std::uint64_t now = map_bytes();
  const std::uint64_t next = std::min(now * 2, max_map_bytes_);
  if (next <= now) {
    return error(errc::no_space,
                 "index " + folder_ + " has reached its bound of " +
                     std::to_string(max_map_bytes_ >> 20U) + " MiB");
  }
  return resize(next);
}

result<void> lmdb_env::write(
    const std::function<result<void>(write_txn&)>& change) {
  if (!writable_) {
    return error(errc::bad_input, "index " + folder_ + " is open read-only");
  }
  int dead = 0;
  (void)mdb_reader_check(env_, &dead);  // else their pages are never reused
  while (true) {
    result<MDB_txn*> raw = begin(0);
    if (!raw) {
      return raw.error();
    }
    write_txn txn(*raw);
    result<void> changed = change(txn);
    if (changed) {
      changed = check_whole();  // nothing is built on pages that were missed
    }
    bool full = txn.map_full_;
    if (!changed) {
      mdb_txn_abort(*raw);
    } else {
      const int code = mdb_txn_commit(*raw);  // frees *raw, failed or not
      if (code != 0) {
        full = code == MDB_MAP_FULL;
        changed = lmdb_error(code, "writing index " + folder_);
      }
    }
    map_.unlock_shared();
    if (changed || !full) {
      return changed;
    }
    result<void> grown = grow();
    if (!grown) {
      return grown;
    }
  }
}

result<void> lmdb_env::sync() {
  const int code = mdb_env_sync(env_, 1);
  if (code != 0) {
    return lmdb_error(code, "syncing index " + folder_);
  }
  return {};
}

std::uint64_t lmdb_env::file_bytes() const {
  struct stat info {};
  mdb_filehandle_t fd = -1;
  return mdb_env_get_fd(env_, &fd) == 0 && ::fstat(fd, &info) == 0
             ? static_cast<std::uint64_t>(info.st_size)
             : 0;
}

std::uint64_t lmdb_env::free_bytes(const read_txn& txn) const {
  MDB_envinfo info{};
  MDB_stat names{};
  constexpr MDB_dbi main_table = 1;
  if (mdb_env_info(env_, &info) != 0 ||
      mdb_stat(txn.txn_, main_table, &names) != 0) {
    return 0;
  }
  // All pages, less the two meta pages, the table of tables and the tables.
  // (The list of free pages itself counts as free; it is short.)
  const auto pages = [](const MDB_stat& stat) {
    return std::uint64_t{stat.ms_branch_pages} + stat.ms_leaf_pages +
           stat.ms_overflow_pages;
  };
  std::uint64_t used = 2 + pages(names);
  for (const opened_table& table : tables_) {
    MDB_stat stat{};
    if (mdb_stat(txn.txn_, table.handle, &stat) == 0) {
      used += pages(stat);
    }
  }
  const std::uint64_t all = std::uint64_t{info.me_last_pgno} + 1;
  return all > used ? (all - used) * names.ms_psize : 0;
}

std::uint64_t lmdb_env::map_bytes() const {
  MDB_envinfo info{};
  return mdb_env_info(env_, &info) == 0 ? info.me_mapsize : 0;
}

}  // namespace teleport::index
