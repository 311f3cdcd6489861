// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/door.hpp: how many strangers are heard. A connection is a
// stranger's until its key is known to be that of a paired host; then it is
// none of the door's business any more.
//
// Pure: time is passed in.
//
// Trust: addresses are anybody's; nothing here grows with what comes.

#ifndef TOOLS_LISTEN_DOOR_HPP
#define TOOLS_LISTEN_DOOR_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace teleport {

class door {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using visitor = std::uint64_t;

  struct limits {
    std::size_t strangers = 48;
    /// A paired host that begins 8 transfers at once is a stranger 8 times,
    /// until its key is known.
    std::size_t strangers_of_address = 12;
    /// Connections of one address that turn out to be no paired host's: so many
    /// at once, and so many a second.
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
  /// Its key is that of a paired host, or it is a further one of a link.
  void on_known(visitor number);
  /// It has ended.
  void on_gone(visitor number) { strangers_.erase(number); }

  [[nodiscard]] std::size_t strangers() const noexcept {
    return strangers_.size();
  }

 private:
  struct bucket {
    double left = 0;
    time_point seen;
  };
  [[nodiscard]] bool may_come(const std::string& place, time_point now);

  limits limits_;
  visitor next_ = 1;
  std::map<visitor, std::string> strangers_;  ///< to addresses; oldest first
  std::map<std::string, bucket> buckets_;
};

/// The part of an address that counts as one place: an IPv4 address, also where
/// it is written as IPv6, or the first 64 bits of an IPv6 address.
[[nodiscard]] std::string place_of(const std::string& address);

}  // namespace teleport

#endif  // TOOLS_LISTEN_DOOR_HPP
