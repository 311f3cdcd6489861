// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/door.hpp: who is served. Connections of hosts whose key is
// not known yet have places of their own, and take none from those that are
// paired; and of those no host has all.
//
// Pure: time is passed in.
//
// Trust: addresses and keys are anybody's; nothing here grows with what comes.

#ifndef TOOLS_TELEPORTD_DOOR_HPP
#define TOOLS_TELEPORTD_DOOR_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace teleport {

/// What a paired host's session may do.
enum class permit : char {
  transfer = 'T',  ///< all
  ask = 'Q',       ///< no more than ask what became of a teleport
  none = '-',      ///< nothing
};

class door {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using visitor = std::uint64_t;

  struct limits {
    std::size_t strangers = 48;
    /// A paired host that begins 8 transfers at once is a stranger 8 times,
    /// until its key is known.
    std::size_t strangers_of_address = 12;
    /// Each may hold some 200 MiB while it rebuilds disks.
    std::size_t transfers = 16;
    std::size_t transfers_of_host = 8;
    std::size_t questions = 8;
    /// Processes for connections of one address that turn out to be no paired
    /// host's: so many at once, and so many a second.
    double burst = 32;
    double rate = 4;
    /// Addresses that are remembered for that.
    std::size_t addresses = 1024;
  };

  door() = default;
  explicit door(const limits& bounds) : limits_(bounds) {}

  struct arrival {
    /// nullopt: it is turned away, too many have come from there.
    std::optional<visitor> number;
    /// To be disconnected: the oldest, in whose place it is.
    std::vector<visitor> dropped;
  };
  /// A connection was accepted.
  [[nodiscard]] arrival on_arrival(const std::string& address, time_point now);
  /// Its key is that of a paired host.
  ///
  /// @param most  transfers of a limited host
  [[nodiscard]] permit on_paired(
      visitor number,
      const std::string& key,
      std::size_t most = std::numeric_limits<std::size_t>::max());
  /// It has ended.
  void on_gone(visitor number);

  [[nodiscard]] std::size_t strangers() const noexcept {
    return strangers_.size();
  }
  /// Threads that are needed where each visitor has one.
  [[nodiscard]] static unsigned most_visitors();

 private:
  struct bucket {
    double left = 0;
    time_point seen;
  };
  struct guest {
    std::string key;
    permit may = permit::none;
  };
  [[nodiscard]] bool may_spawn(const std::string& place, time_point now);
  [[nodiscard]] std::size_t count(permit may) const;

  limits limits_;
  visitor next_ = 1;
  std::map<visitor, std::string> strangers_;  ///< to addresses; oldest first
  std::map<visitor, guest> paired_;
  std::map<std::string, bucket> buckets_;
};

/// The part of an address that counts as one place: an IPv4 address, also where
/// it is written as IPv6, or the first 64 bits of an IPv6 address.
[[nodiscard]] std::string place_of(const std::string& address);

/// One sentence a minute, with the number of those that were not said.
class rare_words {
 public:
  static constexpr std::chrono::minutes pause{1};

  /// @return what is to be said now, if anything
  [[nodiscard]] std::optional<std::string> say(const std::string& sentence,
                                               door::time_point now);

 private:
  std::optional<door::time_point> last_;
  std::size_t unsaid_ = 0;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DOOR_HPP
