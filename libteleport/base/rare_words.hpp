// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/rare_words.hpp: what strangers make a daemon say goes to its
// log once a minute. Pure: time is passed in.
//
// Threads: one owner.

#ifndef LIBTELEPORT_BASE_RARE_WORDS_HPP
#define LIBTELEPORT_BASE_RARE_WORDS_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace teleport {

/// One sentence a minute, with the number of those that were not said.
class rare_words {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes pause{1};

  /// @return what is to be said now, if anything
  [[nodiscard]] std::optional<std::string> say(const std::string& sentence,
                                               time_point now);

 private:
  std::optional<time_point> last_;
  std::size_t unsaid_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_RARE_WORDS_HPP
