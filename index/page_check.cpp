// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/page_check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport::index {

namespace {

// LMDB 0.9.24, mdb.c: MDB_page, MDB_meta, MDB_db, MDB_node.
constexpr std::size_t page_header = 16;
constexpr std::uint32_t meta_magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;
constexpr std::size_t meta_bytes = 136;
constexpr std::size_t table_bytes = 48;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr unsigned page_is_branch = 1;
constexpr unsigned page_is_leaf = 2;
constexpr unsigned page_is_overflow = 4;
constexpr unsigned page_is_meta = 8;
constexpr std::size_t node_header = 8;
constexpr unsigned node_is_big = 1;
constexpr unsigned node_is_table = 2;
constexpr unsigned integer_keys = 8;
/// LMDB's CURSOR_STACK.
constexpr unsigned max_depth = 32;
constexpr std::size_t min_page = 4096;
constexpr std::size_t max_page = 32768;
/// Pages that were given out but never written may lie past the file's end.
constexpr std::uint64_t pages_past_end = 1U << 20U;

struct table_root {
  unsigned flags = 0;
  unsigned depth = 0;
  std::uint64_t root = no_page;
};

struct meta_page {
  std::size_t page_size = 0;
  table_root free_pages;
  table_root tables;
  std::uint64_t last_page = 0;
  std::uint64_t txn = 0;
};

error damaged(const std::string& what) {
  return {errc::corrupt, "data.mdb is damaged: " + what};
}

table_root read_table(byte_reader& in) {
  table_root table;
  (void)in.number<std::uint32_t>();
  table.flags = in.number<std::uint16_t>();
  table.depth = in.number<std::uint16_t>();
  (void)in.take(32);  // counts of pages and entries: for people only
  table.root = in.number<std::uint64_t>();
  return table;
}

class data_file {
 public:
  /// @return false when there is nothing in it
  result<bool> open(const std::string& path) {
    fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd_) {
      if (errno == ENOENT) {
        return false;
      }
      return system_error(errno, path);
    }
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) {
      return system_error(errno, path);
    }
    size_ = static_cast<std::uint64_t>(info.st_size);
    return size_ != 0;
  }

  [[nodiscard]] bool read(std::uint64_t at, std::span<std::byte> out) const {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(),
                                out.data() + done,
                                out.size() - done,
                                static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n <= 0) {
        return false;
      }
      done += static_cast<std::size_t>(n);
    }
    return true;
  }

  /// Meta page 0 or 1. The first one tells the size of a page.
  [[nodiscard]] result<meta_page> meta(unsigned number,
                                       std::size_t page_size) const {
    std::array<std::byte, page_header + meta_bytes> raw{};
    const std::string name = "meta page " + std::to_string(number);
    if (!read(number * page_size, raw)) {
      return damaged("it ends inside " + name);
    }
    byte_reader in(raw);
    (void)in.take(10);
    const auto flags = in.number<std::uint16_t>();
    (void)in.take(4);
    const auto magic = in.number<std::uint32_t>();
    const auto version = in.number<std::uint32_t>();
    if ((flags & page_is_meta) == 0 || magic != meta_magic) {
      return damaged(name + " is none");
    }
    if (version != data_version) {
      return error(errc::unsupported,
                   "data.mdb is of LMDB data version " +
                       std::to_string(version) + ", not 1");
    }
    const auto address = in.number<std::uint64_t>();
    const auto map_size = in.number<std::uint64_t>();
    meta_page meta;
    meta.page_size = load_le<std::uint32_t>(byte_span(raw).subspan(40));
    meta.free_pages = read_table(in);
    meta.tables = read_table(in);
    meta.last_page = in.number<std::uint64_t>();
    meta.txn = in.number<std::uint64_t>();
    if (!std::has_single_bit(meta.page_size) || meta.page_size < min_page ||
        meta.page_size > max_page ||
        (page_size != 0 && meta.page_size != page_size)) {
      return damaged(name + " tells a page size of " +
                     std::to_string(meta.page_size));
    }
    const std::uint64_t pages = size_ / meta.page_size;
    if (address != 0 || map_size >> 47U != 0 || meta.last_page < 1 ||
        meta.last_page > pages + pages_past_end ||
        (meta.free_pages.flags & 0x7fffU) != integer_keys ||
        (meta.tables.flags & 0x7fffU) != 0) {
      return damaged(name + " is out of range");
    }
    return meta;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  unique_fd fd_;
  std::uint64_t size_ = 0;
};

/// Walks from the roots; each page may be met once.
class tree_walk {
 public:
  tree_walk(const data_file& file, const meta_page& meta, bool writing)
      : file_(file),
        meta_(meta),
        writing_(writing),
        file_pages_(file.size() / meta.page_size),
        met_(meta.last_page + 1) {}

  [[nodiscard]] bool walk() {
    met_[0] = met_[1] = true;
    return walk_root(meta_.tables, kind::names) &&
           (!writing_ || (walk_root(meta_.free_pages, kind::free_pages) &&
                          walk_free_lists()));
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class kind { names, values, free_pages };

  bool fail(std::uint64_t page, const char* what) {
    problem_ = "page " + std::to_string(page) + ": " + what;
    return false;
  }

  /// Marks `count` pages from `first` on as used.
  bool meet(std::uint64_t first, std::uint64_t count) {
    if (first > meta_.last_page || count > meta_.last_page - first + 1 ||
        first + count > file_pages_) {
      return fail(first, "lies outside the file");
    }
    for (std::uint64_t page = first; page < first + count; ++page) {
      if (met_[page]) {
        return fail(page, "is reached twice");
      }
      met_[page] = true;
    }
    return true;
  }

  bool walk_root(const table_root& table, kind what) {
    if (table.root == no_page) {
      return table.depth == 0 || fail(0, "an empty table has a depth");
    }
    if (table.depth == 0 || table.depth >= max_depth) {
      return fail(table.root, "a table's depth is out of range");
    }
    return walk_page(table.root, table.depth, what);
  }

  bool walk_page(std::uint64_t number, unsigned depth, kind what) {
    if (!meet(number, 1)) {
      return false;
    }
    std::vector<std::byte> page(meta_.page_size);
    if (!file_.read(number * meta_.page_size, page)) {
      return fail(number, "cannot be read");
    }
    const byte_span bytes(page);
    const unsigned flags = load_le<std::uint16_t>(bytes.subspan(10));
    const std::size_t lower = load_le<std::uint16_t>(bytes.subspan(12));
    const std::size_t upper = load_le<std::uint16_t>(bytes.subspan(14));
    const bool branch = flags == page_is_branch;
    if (load_le<std::uint64_t>(bytes) != number ||
        (!branch && flags != page_is_leaf) || branch != (depth > 1)) {
      return fail(number, "is not the page that was expected");
    }
    if (lower < page_header || lower > upper || upper > page.size() ||
        lower % 2 != 0) {
      return fail(number, "its bounds contradict each other");
    }
    const std::size_t nodes = (lower - page_header) / 2;
    if (nodes < (branch ? 2U : 1U)) {
      return fail(number, "has too few entries");
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      const std::size_t at =
          load_le<std::uint16_t>(bytes.subspan(page_header + 2 * i));
      if (at < upper || at % 2 != 0 || at + node_header > page.size()) {
        return fail(number, "an entry lies outside it");
      }
      const byte_span node = bytes.subspan(at);
      if (!(branch ? walk_branch(number, node, depth, what)
                   : walk_leaf(number, node, what))) {
        return false;
      }
    }
    return true;
  }

  bool walk_branch(std::uint64_t number,
                   byte_span node,
                   unsigned depth,
                   kind what) {
    const std::size_t key = load_le<std::uint16_t>(node.subspan(6));
    if (node_header + key > node.size()) {
      return fail(number, "a key reaches over its end");
    }
    const std::uint64_t child = load_le<std::uint64_t>(node) & 0xffffffffffffU;
    return walk_page(child, depth - 1, what);
  }

  bool walk_leaf(std::uint64_t number, byte_span node, kind what) {
    const std::size_t data = load_le<std::uint32_t>(node);
    const unsigned flags = load_le<std::uint16_t>(node.subspan(4));
    const std::size_t key = load_le<std::uint16_t>(node.subspan(6));
    const std::size_t held = flags == node_is_big ? 8 : data;
    if (key == 0 || node_header + key + held > node.size() ||
        flags != (what == kind::names ? node_is_table : flags & node_is_big)) {
      return fail(number, "an entry is out of range");
    }
    const byte_span value = node.subspan(node_header + key, held);
    if (what == kind::names) {
      if (data != table_bytes) {
        return fail(number, "a table's record has a wrong length");
      }
      byte_reader in(value);
      const table_root table = read_table(in);
      return (table.flags == 0 || fail(number, "a table has unknown flags")) &&
             walk_root(table, kind::values);
    }
    std::uint64_t first = 0;
    if (flags == node_is_big) {
      first = load_le<std::uint64_t>(value);
      if (!walk_overflow(first, data)) {
        return false;
      }
    }
    if (what == kind::free_pages) {
      if (key != 8) {
        return fail(number, "a list of free pages has a wrong key");
      }
      return flags == node_is_big
                 ? keep_free_list(
                       number, first * meta_.page_size + page_header, data)
                 : keep_free_list(number, value);
    }
    return true;
  }

  bool walk_overflow(std::uint64_t first, std::size_t data) {
    const std::uint64_t pages = (page_header - 1 + data) / meta_.page_size + 1;
    if (!meet(first, pages)) {
      return false;
    }
    if (!writing_) {
      return true;
    }
    std::array<std::byte, page_header> head{};
    if (!file_.read(first * meta_.page_size, head)) {
      return fail(first, "cannot be read");
    }
    const byte_span bytes(head);
    const std::uint64_t told = load_le<std::uint32_t>(bytes.subspan(12));
    // LMDB may keep a value in a place that was made for a longer one.
    if (load_le<std::uint64_t>(bytes) != first ||
        load_le<std::uint16_t>(bytes.subspan(10)) != page_is_overflow ||
        told < pages) {
      return fail(first, "is not the large value that was expected");
    }
    return told == pages || meet(first + pages, told - pages);
  }

  bool keep_free_list(std::uint64_t number, std::uint64_t at, std::size_t n) {
    std::vector<std::byte> list(n);
    return file_.read(at, list) ? keep_free_list(number, list)
                                : fail(number, "a free list cannot be read");
  }

  bool keep_free_list(std::uint64_t number, byte_span list) {
    if (list.size() < 8 || list.size() % 8 != 0 ||
        load_le<std::uint64_t>(list) > list.size() / 8 - 1) {
      return fail(number, "a list of free pages has a wrong length");
    }
    const auto count = static_cast<std::size_t>(load_le<std::uint64_t>(list));
    for (std::size_t i = 1; i <= count; ++i) {
      free_.push_back(load_le<std::uint64_t>(list.subspan(8 * i)));
      if (i > 1 && free_[free_.size() - 2] <= free_.back()) {
        return fail(number, "a list of free pages is out of order");
      }
    }
    return true;
  }

  bool walk_free_lists() {
    for (const std::uint64_t page : free_) {
      if (page > meta_.last_page || met_[page]) {
        return fail(page, "is free and in use at once");
      }
      met_[page] = true;
    }
    return true;
  }

  const data_file& file_;
  const meta_page& meta_;
  bool writing_;
  std::uint64_t file_pages_;
  std::vector<bool> met_;
  std::vector<std::uint64_t> free_;
  std::string problem_;
};

}  // namespace

result<bool> check_meta_pages(const std::string& path) {
  static_assert(sizeof(void*) == 8 &&
                std::endian::native == std::endian::little);
  data_file file;
  const result<bool> filled = file.open(path);
  if (!filled || !*filled) {
    return filled;
  }
  const result<meta_page> first = file.meta(0, 0);
  if (!first) {
    return first.error();
  }
  const result<meta_page> second = file.meta(1, first->page_size);
  if (!second) {
    return second.error();
  }
  return true;
}

result<bool> check_tree_pages(const std::string& path,
                              std::uint64_t txn_id,
                              bool writing) {
  data_file file;
  const result<bool> filled = file.open(path);
  if (!filled || !*filled) {
    return filled;
  }
  const result<meta_page> first = file.meta(0, 0);
  if (!first) {
    return first.error();
  }
  const result<meta_page> meta =
      file.meta(static_cast<unsigned>(txn_id & 1U), first->page_size);
  if (!meta) {
    return meta.error();
  }
  if (meta->txn != txn_id) {
    return false;
  }
  tree_walk walk(file, *meta, writing);
  if (!walk.walk()) {
    return damaged(walk.problem());
  }
  return true;
}

}  // namespace teleport::index
