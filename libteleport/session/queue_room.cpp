// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/queue_room.hpp"

#include <algorithm>

namespace teleport {

void queue_room::look(const link_use& used) {
  const link_use since = used - seen_;
  if (since.time < measured) {
    return;
  }
  seen_ = used;
  using seconds = std::chrono::duration<double>;
  const double carried = static_cast<double>(since.bytes) *
                         (seconds(wanted) / seconds(since.time));
  bytes_ = static_cast<std::size_t>(std::clamp(
      carried, static_cast<double>(least), static_cast<double>(most)));
}

}  // namespace teleport
