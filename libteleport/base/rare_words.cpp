// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/rare_words.hpp"

#include <utility>

#include <fmt/format.h>

namespace teleport {

std::optional<std::string> rare_words::say(const std::string& sentence,
                                           time_point now) {
  if (last_ && now - *last_ < pause) {
    ++unsaid_;
    return std::nullopt;
  }
  last_ = now;
  const std::size_t before = std::exchange(unsaid_, 0);
  return before == 0
             ? sentence
             : fmt::format(
                   "{} ({} more of such kind before)", sentence, before);
}

}  // namespace teleport
