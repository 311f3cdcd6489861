// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/lmdb.hpp: LMDB with its traps closed. lmdb*.cpp are the only users of
// lmdb.h.
//
// An environment hands out read transactions (snapshots) and runs write
// functions. What LMDB demands and does not check is seen to here: one
// environment for each folder in a process; a handle is gone after commit,
// failed or not; cursors end before their transaction; the map grows only
// while no transaction of this process is open, and follows when another
// process has grown it; readers left behind by killed processes are cleared;
// the file's own pages are checked before they are trusted (page_check.hpp),
// and a file that is cut short while it is in use is an error, not the
// process's end (map_guard.hpp). Sync policy: index/FORMAT.md, section 5.
//
// Threads: an environment serves any number; a transaction and its cursors
//          belong to the thread that began it. A thread holds at most one
//          transaction at a time (a second could wait for the first forever).
// Blocks: on the disk; write() waits for the writer of another process.
//         Open after fork(), never before.
// Trust: pages are checked once, at opening; values are for callers to check.

#ifndef INDEX_LMDB_HPP
#define INDEX_LMDB_HPP

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "index/map_guard.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

struct MDB_cursor;
struct MDB_env;
struct MDB_txn;

namespace teleport::index {

/// A named table of an environment.
struct lmdb_table {
  unsigned handle = 0;
};

/// Walks a table in key order. Ends before its transaction does.
class lmdb_cursor {
 public:
  lmdb_cursor(lmdb_cursor&& other) noexcept;
  lmdb_cursor& operator=(lmdb_cursor&&) = delete;
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;
  ~lmdb_cursor();

  /// Goes to the first key that is not below `key` (an empty one: the first).
  /// @return false when there is none
  [[nodiscard]] result<bool> seek(byte_span key);
  [[nodiscard]] result<bool> next();
  /// Valid until the next call, or the next change in a write transaction.
  [[nodiscard]] byte_span key() const noexcept { return key_; }
  [[nodiscard]] byte_span value() const noexcept { return value_; }

 private:
  friend class lmdb_view;
  explicit lmdb_cursor(MDB_cursor* cursor) noexcept : cursor_(cursor) {}
  result<bool> move_to(int operation, byte_span key);

  MDB_cursor* cursor_ = nullptr;
  byte_span key_;
  byte_span value_;
};

/// What both kinds of transaction can do.
class lmdb_view {
 public:
  /// The bytes lie in the map: valid until the transaction ends (in a write
  /// transaction: until its next change).
  [[nodiscard]] result<std::optional<byte_span>> get(lmdb_table table,
                                                     byte_span key) const;
  [[nodiscard]] result<lmdb_cursor> cursor(lmdb_table table) const;
  [[nodiscard]] result<std::uint64_t> entries(lmdb_table table) const;

 protected:
  explicit lmdb_view(MDB_txn* txn) noexcept : txn_(txn) {}
  MDB_txn* txn_ = nullptr;
};

class lmdb_env;

/// A snapshot.
class read_txn : public lmdb_view {
 public:
  read_txn(read_txn&& other) noexcept;
  read_txn& operator=(read_txn&&) = delete;
  read_txn(const read_txn&) = delete;
  read_txn& operator=(const read_txn&) = delete;
  ~read_txn();

 private:
  friend class lmdb_env;
  read_txn(MDB_txn* txn, std::shared_lock<std::shared_mutex> map) noexcept
      : lmdb_view(txn), map_(std::move(map)) {}

  std::shared_lock<std::shared_mutex> map_;  // the map does not move under us
};

/// Changes, all or none. Exists only inside lmdb_env::write().
class write_txn : public lmdb_view {
 public:
  write_txn(const write_txn&) = delete;
  write_txn& operator=(const write_txn&) = delete;
  write_txn(write_txn&&) = delete;
  write_txn& operator=(write_txn&&) = delete;
  ~write_txn() = default;

  [[nodiscard]] result<void> put(lmdb_table table,
                                 byte_span key,
                                 byte_span value);
  /// A key that is not there is no error.
  [[nodiscard]] result<void> erase(lmdb_table table, byte_span key);

 private:
  friend class lmdb_env;
  explicit write_txn(MDB_txn* txn) noexcept : lmdb_view(txn) {}
  bool map_full_ = false;
};

struct lmdb_options {
  bool writable = false;  ///< also: create what does not exist
  /// The map to begin with, and the bound up to which it doubles by itself.
  std::uint64_t map_bytes = std::uint64_t{256} << 20U;
  std::uint64_t max_map_bytes = std::uint64_t{256} << 30U;
};

class lmdb_env {
 public:
  /// @param folder  must exist
  /// @error errc::not_found without a data file (read-only); errc::corrupt
  ///        when the file fails its check; errc::busy when this process has
  ///        the folder open already
  [[nodiscard]] static result<std::unique_ptr<lmdb_env>> open(
      const std::string& folder, const lmdb_options& options);
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;
  lmdb_env(lmdb_env&&) = delete;
  lmdb_env& operator=(lmdb_env&&) = delete;
  ~lmdb_env();

  /// Opens a table, creating it when the environment is writable. Before any
  /// other thread uses the environment.
  /// @error errc::not_found
  [[nodiscard]] result<lmdb_table> table(const char* name);

  [[nodiscard]] result<read_txn> begin_read();

  /// Runs `change` in a write transaction and commits when it succeeds. When
  /// the map is full, it grows and `change` runs again: it must not mind.
  ///
  /// @error what `change` returned; errc::no_space when the map has reached its
  ///        bound or the file system is full
  [[nodiscard]] result<void> write(
      const std::function<result<void>(write_txn&)>& change);

  /// A page that was missed looks like one without entries. Asked before the
  /// end of a transaction: what it found, and did not find, was there.
  ///
  /// @error errc::corrupt when a page was missed, or the file was cut short
  [[nodiscard]] result<void> check_whole();

  /// Returns when all that was committed is on stable storage.
  [[nodiscard]] result<void> sync();

  // The sizes are asked for inside a transaction.

  /// Bytes of the data file in use, free pages included.
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// Bytes of its pages that hold nothing now and are written next.
  [[nodiscard]] std::uint64_t free_bytes(const read_txn& txn) const;
  [[nodiscard]] std::uint64_t map_bytes() const;

 private:
  lmdb_env() = default;
  result<void> start(std::uint64_t map_bytes);
  result<void> restart();
  result<MDB_txn*> begin(unsigned flags);
  result<void> resize(std::uint64_t map_bytes);
  result<void> grow();
  result<void> check_pages(const std::string& data_file);

  MDB_env* env_ = nullptr;
  std::string folder_;
  bool writable_ = false;
  bool registered_ = false;
  std::uint64_t max_map_bytes_ = 0;
  struct opened_table {
    std::string name;
    unsigned handle = 0;
  };
  std::vector<opened_table> tables_;
  map_guard guard_;
  /// The file never shrinks by itself.
  std::atomic<std::uint64_t> largest_ = 0;
  /// Held shared by every transaction, alone by whoever moves the map.
  std::shared_mutex map_;
  /// Held by whoever waits for map_, so that a stream of readers cannot keep
  /// the map from growing.
  std::mutex gate_;
};

}  // namespace teleport::index

#endif  // INDEX_LMDB_HPP
