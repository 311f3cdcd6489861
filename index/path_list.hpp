// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/path_list.hpp: the paths of the indexed disks that somebody named, once
// more, in a text file beside the database: what must be scanned again when the
// database is lost.
//
// Threads: one changing call at a time, under the store's own order.
// Blocks: on the disk, until what was written is durable.
// Trust: lines that are no absolute path are passed over.

#ifndef INDEX_PATH_LIST_HPP
#define INDEX_PATH_LIST_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport::index {

class path_list {
 public:
  explicit path_list(const std::string& folder)
      : file_(folder + "/disks.txt") {}

  /// In the order of adding; none when there is no file.
  [[nodiscard]] result<std::vector<std::string>> read() const;
  /// Adds those that are missing.
  [[nodiscard]] result<void> add(const std::vector<std::string>& paths) const;
  [[nodiscard]] result<void> remove(const std::string& path) const;
  /// Nothing where `from` is not in it.
  [[nodiscard]] result<void> rename(const std::string& from,
                                    const std::string& to) const;

 private:
  [[nodiscard]] result<void> write(const std::vector<std::string>& paths) const;

  std::string file_;
};

}  // namespace teleport::index

#endif  // INDEX_PATH_LIST_HPP
