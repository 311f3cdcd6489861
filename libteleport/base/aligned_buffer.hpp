// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/aligned_buffer.hpp: memory for direct I/O.
//
// Memory of an extent's size goes back to a list and not to the system: a fresh
// MiB costs 256 page faults, which was a fifth of a rebuild's processor time.
//
// Threads: a buffer has one owner; making and freeing them, any.

#ifndef LIBTELEPORT_BASE_ALIGNED_BUFFER_HPP
#define LIBTELEPORT_BASE_ALIGNED_BUFFER_HPP

#include <cstddef>
#include <memory>
#include <span>

#include "libteleport/base/bytes.hpp"

namespace teleport {

struct give_back_aligned {
  std::size_t room = 0;  ///< bytes that were allocated
  void operator()(std::byte* memory) const noexcept;
};

/// Aligned to a block, as O_DIRECT wants it. Movable; zeroed when made.
class aligned_buffer {
 public:
  aligned_buffer() = default;
  explicit aligned_buffer(std::size_t size);
  /// For what is read into as a whole: holds anything at first.
  [[nodiscard]] static aligned_buffer uncleared(std::size_t size);

  [[nodiscard]] std::span<std::byte> span() noexcept {
    return {data_.get(), size_};
  }
  [[nodiscard]] byte_span span() const noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  static constexpr std::size_t alignment = 4096;

 private:
  std::unique_ptr<std::byte, give_back_aligned> data_;
  std::size_t size_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_ALIGNED_BUFFER_HPP
