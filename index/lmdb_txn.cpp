// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/lmdb_txn.cpp: the transactions and cursors of lmdb.hpp.

#include <utility>

#include "index/lmdb.hpp"
#include "index/lmdb_convert.hpp"

namespace teleport::index {

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

}  // namespace teleport::index
