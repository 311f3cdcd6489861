// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/session_places.hpp"

#include <algorithm>

namespace teleport {

std::size_t session_places::count(permit may) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sessions_, [may](const auto& one) { return one.second.may == may; }));
}

permit session_places::on_paired(visitor number,
                                 const std::string& key,
                                 std::size_t most) {
  const auto of_host = static_cast<std::size_t>(
      std::ranges::count_if(sessions_, [&key](const auto& one) {
        return one.second.key == key && one.second.may == permit::transfer;
      }));
  permit may = permit::none;
  if (count(permit::transfer) < limits_.transfers &&
      of_host < std::min(limits_.transfers_of_host, most)) {
    may = permit::transfer;
  } else if (count(permit::ask) < limits_.questions) {
    may = permit::ask;
  }
  if (may != permit::none) {
    sessions_.emplace(number, session{key, may});
  }
  return may;
}

}  // namespace teleport
