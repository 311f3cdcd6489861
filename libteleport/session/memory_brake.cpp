// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/memory_brake.hpp"

#include <algorithm>

namespace teleport {

bool memory_brake::weigh(std::uint64_t dirty, bool fits) noexcept {
  if (fits) {
    release();
    return false;
  }
  const bool smaller = dirty <= smallest_ - smallest_ / 10;
  in_vain_ = holds_ && !smaller ? in_vain_ + 1 : 0;
  smallest_ = holds_ ? std::min(smallest_, dirty) : dirty;
  holds_ = in_vain_ < most_in_vain;
  return holds_;
}

}  // namespace teleport
