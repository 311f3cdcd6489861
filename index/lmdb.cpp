// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/lmdb.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include <sys/stat.h>

#include <lmdb.h>

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

error lmdb_error(int code, std::string_view what) {
  if (code > 0) {
    return system_error(code, what);
  }
  errc kind = errc::corrupt;
  if (code == MDB_VERSION_MISMATCH) {
    kind = errc::unsupported;
  } else if (code == MDB_MAP_FULL) {
    kind = errc::no_space;
  } else if (code == MDB_READERS_FULL || code == MDB_TXN_FULL) {
    kind = errc::busy;
  } else if (code == MDB_NOTFOUND) {
    kind = errc::not_found;
  }
  return {kind, std::string(what) + ": " + mdb_strerror(code)};
}

MDB_val to_val(byte_span bytes) {
  MDB_val val;
  val.mv_size = bytes.size();
  // LMDB does not write through keys or values it is given.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  val.mv_data = const_cast<std::byte*>(bytes.data());
  return val;
}

byte_span to_span(const MDB_val& val) {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

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

lmdb_cursor::lmdb_cursor(lmdb_cursor&& other) noexcept
    : cursor_(std::exchange(other.cursor_, nullptr)),
      key_(other.key_),
      value_(other.value_) {}

lmdb_cursor::~lmdb_cursor() {
  if (cursor_ != nullptr) {
    mdb_cursor_close(cursor_);
  }
}

result<bool> lmdb_cursor::move_to(int operation, byte_span key) {
  MDB_val k = to_val(key);
  MDB_val v{};
  const int code =
      mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (code == MDB_NOTFOUND) {
    return false;
  }
  if (code != 0) {
    return lmdb_error(code, "index");
  }
  key_ = to_span(k);
  value_ = to_span(v);
  return true;
}

result<bool> lmdb_cursor::seek(byte_span key) {
  return key.empty() ? move_to(MDB_FIRST, {}) : move_to(MDB_SET_RANGE, key);
}

result<bool> lmdb_cursor::next() {
  return move_to(MDB_NEXT, {});
}

result<std::optional<byte_span>> lmdb_view::get(lmdb_table table,
                                                byte_span key) const {
  MDB_val k = to_val(key);
  MDB_val v{};
  const int code = mdb_get(txn_, table.handle, &k, &v);
  if (code == MDB_NOTFOUND) {
    return std::optional<byte_span>();
  }
  if (code != 0) {
    return lmdb_error(code, "index");
  }
  return std::optional<byte_span>(to_span(v));
}

result<lmdb_cursor> lmdb_view::cursor(lmdb_table table) const {
  MDB_cursor* cursor = nullptr;
  const int code = mdb_cursor_open(txn_, table.handle, &cursor);
  if (code != 0) {
    return lmdb_error(code, "index");
  }
  return lmdb_cursor(cursor);
}

result<std::uint64_t> lmdb_view::entries(lmdb_table table) const {
  MDB_stat stat{};
  const int code = mdb_stat(txn_, table.handle, &stat);
  if (code != 0) {
    return lmdb_error(code, "index");
  }
  return std::uint64_t{stat.ms_entries};
}

read_txn::read_txn(read_txn&& other) noexcept
    : lmdb_view(std::exchange(other.txn_, nullptr)),
      map_(std::move(other.map_)) {}

read_txn::~read_txn() {
  if (txn_ != nullptr) {
    mdb_txn_abort(txn_);
  }
}

result<void> write_txn::put(lmdb_table table, byte_span key, byte_span value) {
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  const int code = mdb_put(txn_, table.handle, &k, &v, 0);
  if (code != 0) {
    map_full_ = map_full_ || code == MDB_MAP_FULL;
    return lmdb_error(code, "index");
  }
  return {};
}

result<void> write_txn::erase(lmdb_table table, byte_span key) {
  MDB_val k = to_val(key);
  const int code = mdb_del(txn_, table.handle, &k, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) {
    map_full_ = map_full_ || code == MDB_MAP_FULL;
    return lmdb_error(code, "index");
  }
  return {};
}

result<std::unique_ptr<lmdb_env>> lmdb_env::open(const std::string& folder,
                                                 const lmdb_options& options) {
  const std::string data_file = folder + "/data.mdb";
  result<bool> present = check_meta_pages(data_file);
  // It may have been met in the middle of a commit's write.
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
  int code = mdb_env_create(&env->env_);
  if (code == 0) {
    code = mdb_env_set_maxdbs(env->env_, max_tables);
  }
  if (code == 0) {
    code = mdb_env_set_maxreaders(env->env_, max_readers);
  }
  if (code == 0 && options.writable) {
    code = mdb_env_set_mapsize(env->env_, options.map_bytes);
  }
  // Look-ups jump about: reading ahead would fetch what nobody wants.
  const unsigned flags =
      MDB_NOTLS | MDB_NORDAHEAD |
      (options.writable ? unsigned{MDB_NOMETASYNC} : unsigned{MDB_RDONLY});
  if (code == 0) {
    code = mdb_env_open(env->env_, folder.c_str(), flags, file_mode);
  }
  if (code != 0) {
    return lmdb_error(code, what);
  }
  int dead = 0;
  code = mdb_reader_check(env->env_, &dead);
  if (code != 0) {
    return lmdb_error(code, what);
  }
  result<void> checked = env->check_pages(data_file);
  if (!checked) {
    return in_context(what, checked.error());
  }
  return env;
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
  return lmdb_table{handle};
}

/// On success map_ is held shared.
result<MDB_txn*> lmdb_env::begin(unsigned flags) {
  for (int attempt = 0; attempt < begin_attempts; ++attempt) {
    MDB_txn* txn = nullptr;
    {
      const std::lock_guard gate(gate_);
      map_.lock_shared();
    }
    int code = mdb_txn_begin(env_, nullptr, flags, &txn);
    if (code == 0) {
      return txn;
    }
    map_.unlock_shared();
    if (code == MDB_MAP_RESIZED) {
      // Another process has grown the map; 0 takes its size over.
      const std::lock_guard gate(gate_);
      const std::lock_guard alone(map_);
      code = mdb_env_set_mapsize(env_, 0);
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
  const std::lock_guard alone(map_);
  const std::uint64_t now = map_bytes();
  const std::uint64_t next = std::min(now * 2, max_map_bytes_);
  if (next <= now) {
    return error(errc::no_space,
                 "index " + folder_ + " has reached its bound of " +
                     std::to_string(max_map_bytes_ >> 20U) + " MiB");
  }
  const int code = mdb_env_set_mapsize(env_, next);
  if (code != 0) {
    return lmdb_error(code, "growing the map of index " + folder_);
  }
  return {};
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
  const std::string path = folder_ + "/data.mdb";
  return ::stat(path.c_str(), &info) == 0
             ? static_cast<std::uint64_t>(info.st_size)
             : 0;
}

std::uint64_t lmdb_env::map_bytes() const {
  MDB_envinfo info{};
  return mdb_env_info(env_, &info) == 0 ? info.me_mapsize : 0;
}

}  // namespace teleport::index
