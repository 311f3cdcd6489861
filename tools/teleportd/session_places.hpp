// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/session_places.hpp: how many sessions there are of paired
// hosts: no host has all transfers, and a question finds a place beside them.
//
// Pure.

#ifndef TOOLS_TELEPORTD_SESSION_PLACES_HPP
#define TOOLS_TELEPORTD_SESSION_PLACES_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace teleport {

/// What a paired host's session may do.
enum class permit : char {
  transfer = 'T',  ///< all
  ask = 'Q',       ///< no more than ask what became of a teleport
  none = '-',      ///< nothing
};

class session_places {
 public:
  using visitor = std::uint64_t;

  struct limits {
    /// Each may hold some 200 MiB while it rebuilds disks.
    std::size_t transfers = 16;
    std::size_t transfers_of_host = 8;
    std::size_t questions = 8;
  };

  session_places() = default;
  explicit session_places(const limits& bounds) : limits_(bounds) {}

  /// A host has come in.
  ///
  /// @param number  of the connection, used once
  /// @param key     the host's
  /// @param most    transfers of a limited host
  [[nodiscard]] permit on_paired(
      visitor number,
      const std::string& key,
      std::size_t most = std::numeric_limits<std::size_t>::max());
  /// Its session has ended.
  void on_gone(visitor number) { sessions_.erase(number); }

  /// Of all sessions.
  [[nodiscard]] static std::size_t most() {
    const limits all;
    return all.transfers + all.questions;
  }

 private:
  struct session {
    std::string key;
    permit may = permit::none;
  };
  [[nodiscard]] std::size_t count(permit may) const;

  limits limits_;
  std::map<visitor, session> sessions_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_SESSION_PLACES_HPP
