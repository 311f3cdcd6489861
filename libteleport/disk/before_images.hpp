// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/before_images.hpp: what a rebuild overwrites on a disk that
// was here before (a shadow), kept until the rebuild ends: files that moved
// within a disk are wanted at their new place after their old one is gone.
//
// A file without a name, found by content, in memory 40 bytes a block. It only
// ever saves bytes on the link: when it is full, or cannot be written, nothing
// more is kept.
//
// Threads: any. Blocks: on the file.
// Trust:   what find() gives is a hint as a donor's block is: the extent's
//          SHA-256 proves it.

#ifndef LIBTELEPORT_DISK_BEFORE_IMAGES_HPP
#define LIBTELEPORT_DISK_BEFORE_IMAGES_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class before_images {
 public:
  /// Of a file system, at most half of what is free is taken, and this much.
  static constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30U;

  /// @param folder  on the file system that gives the space
  /// @param limit   bytes kept at most
  [[nodiscard]] static result<std::unique_ptr<before_images>> create(
      const std::string& folder, std::uint64_t limit = max_bytes);

  /// Call before the blocks are overwritten. Zeros are not kept, equal blocks
  /// once.
  ///
  /// @param blocks  from a block's start on; a short last block is not kept
  void keep(byte_span blocks);

  /// @param out  filled when the block is here; block_bytes long
  [[nodiscard]] bool find(block_digest wanted, std::span<std::byte> out) const;

  /// Bytes kept.
  [[nodiscard]] std::uint64_t size() const;

 private:
  before_images(unique_fd file, std::uint64_t limit) noexcept
      : file_(std::move(file)), limit_(limit) {}

  unique_fd file_;
  std::uint64_t limit_;
  mutable std::mutex mutex_;  // guards what follows
  std::uint64_t used_ = 0;
  std::unordered_map<block_digest, std::uint64_t> offset_of_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_BEFORE_IMAGES_HPP
