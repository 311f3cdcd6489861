// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/donor_cache.hpp: donors held open, a bounded number of them, and read
// past the page cache.
//
// Threads: any. Blocks: on the disk; not on each other while reading.
// Trust: a donor may be replaced, shrunk or gone at any time.

#ifndef INDEX_DONOR_CACHE_HPP
#define INDEX_DONOR_CACHE_HPP

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"

namespace teleport::index {

class donor_cache {
 public:
  /// @param limit  devices held open at once
  explicit donor_cache(std::size_t limit) : limit_(limit) {}

  /// @param offset  a multiple of 4096
  /// @error errc::not_found when there is nothing under `path` any more, or
  ///        less than is asked for
  [[nodiscard]] result<void> read(const std::string& path,
                                  std::uint64_t offset,
                                  std::span<std::byte> out);

 private:
  /// What the path named when it was opened.
  struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    dev_t special = 0;
    friend bool operator==(const identity&, const identity&) = default;
  };
  struct entry {
    std::string path;
    identity what;
    std::shared_ptr<block_device> device;
  };
  result<std::shared_ptr<block_device>> device(const std::string& path,
                                               const identity& now);

  std::size_t limit_;
  std::mutex mutex_;          // guards entries_
  std::list<entry> entries_;  // the last used first
};

}  // namespace teleport::index

#endif  // INDEX_DONOR_CACHE_HPP
