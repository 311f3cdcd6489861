// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/address_race.hpp: connects to a host of several addresses. An
// address that does not answer delays the next one by a quarter second; the
// kernel alone tries it for two minutes (RFC 8305, "Happy Eyeballs").
//
//   auto race = std::make_shared<address_race>(loop, attempt_delay);
//   race->begin(addresses, [](result<tcp::socket> connected) {...});
//
// Threads: the loop's thread alone. Events never come from inside a call.

#ifndef LIBTELEPORT_NET_ADDRESS_RACE_HPP
#define LIBTELEPORT_NET_ADDRESS_RACE_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

/// After which the next address is tried beside the last: RFC 8305, section 5.
inline constexpr std::chrono::milliseconds attempt_delay{250};

/// The same addresses with IPv6 and IPv4 in turn, each in its own order,
/// beginning with the kind of the first: RFC 8305, section 4.
[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> in_turn(
    const std::vector<boost::asio::ip::tcp::endpoint>& addresses);

class address_race : public std::enable_shared_from_this<address_race> {
 public:
  using tcp = boost::asio::ip::tcp;
  using done_handler = std::function<void(result<tcp::socket>)>;

  address_race(event_loop& loop, std::chrono::milliseconds delay)
      : loop_(loop), delay_(delay) {}
  address_race(const address_race&) = delete;
  address_race& operator=(const address_race&) = delete;
  address_race(address_race&&) = delete;
  address_race& operator=(address_race&&) = delete;
  ~address_race() = default;

  /// Tries them in_turn(); calls `done` once, with the first that connects. It
  /// is called with nothing after give_up().
  ///
  /// @error errc::peer_lost: each address with what was met there
  void begin(const std::vector<tcp::endpoint>& addresses, done_handler done);
  /// Those that have not answered count as failed from now on.
  void give_up();

 private:
  struct attempt {
    tcp::endpoint address;
    tcp::socket socket;
    boost::system::error_code failure;
    bool has_ended = false;
  };

  void try_next();
  void on_attempt(std::size_t which, const boost::system::error_code& failure);
  void end(result<tcp::socket> outcome);
  [[nodiscard]] error all_failures() const;

  event_loop& loop_;
  std::chrono::milliseconds delay_;
  done_handler done_;  ///< empty: it has been called
  std::vector<attempt> attempts_;
  std::size_t begun_ = 0;
  timer next_timer_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_ADDRESS_RACE_HPP
