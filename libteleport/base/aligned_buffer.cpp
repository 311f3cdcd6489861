// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/aligned_buffer.hpp"

#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// More than the jobs of a pool have in use at once; 32 MiB.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t most_kept = 0;  // a use after the end must be seen
#else
constexpr std::size_t most_kept = 32;
#endif

void release(std::byte* memory) noexcept {
  ::operator delete (memory, std::align_val_t{aligned_buffer::alignment});
}

/// Free memory of extent_bytes each.
class spare_buffers {
 public:
  spare_buffers() { spare_.reserve(most_kept); }

  /// @return nullptr when there is none
  std::byte* take() noexcept {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) {
      return nullptr;
    }
    std::byte* const memory = spare_.back();
    spare_.pop_back();
    return memory;
  }
  /// @return false when there are enough
  bool keep(std::byte* memory) noexcept {
    const std::lock_guard lock(mutex_);
    if (spare_.size() >= most_kept) {
      return false;
    }
    spare_.push_back(memory);
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::byte*> spare_;
};

/// Never destroyed: buffers of other static objects may outlive any order.
spare_buffers& spares() {
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): nobody's, as said above
  static spare_buffers* const all = new spare_buffers;
  return *all;
}

}  // namespace

aligned_buffer::aligned_buffer(std::size_t size)
    : aligned_buffer(uncleared(size)) {
  if (size != 0) {
    std::memset(data_.get(), 0, data_.get_deleter().room);
  }
}

aligned_buffer aligned_buffer::uncleared(std::size_t size) {
  aligned_buffer made;
  made.size_ = size;
  const std::size_t room = (size + alignment - 1) / alignment * alignment;
  std::byte* memory = room == extent_bytes ? spares().take() : nullptr;
  if (memory == nullptr) {
    memory = static_cast<std::byte*>(
        ::operator new (room, std::align_val_t{alignment}));
  }
  made.data_ = {memory, give_back_aligned{room}};
  return made;
}

void give_back_aligned::operator()(std::byte* memory) const noexcept {
  if (room != extent_bytes || !spares().keep(memory)) {
    release(memory);
  }
}

}  // namespace teleport
