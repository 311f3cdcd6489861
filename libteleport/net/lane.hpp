// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane.hpp: one TCP connection with TLS 1.3, both sides
// authenticated with pinned certificates: bytes in, bytes out. A connection has
// one, or several side by side.
//
// Threads: the loop's thread alone. Events never come from inside a call.
// Trust:   nothing of a peer is believed before its certificate was found
//          among the pinned ones.

#ifndef LIBTELEPORT_NET_LANE_HPP
#define LIBTELEPORT_NET_LANE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/byte_link.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/net/silence_watch.hpp"
#include "libteleport/net/told_keys.hpp"

namespace teleport {

class lane : public byte_link, public std::enable_shared_from_this<lane> {
 public:
  using ready_handler = std::function<void(result<std::shared_ptr<lane>>)>;
  using endpoint = boost::asio::ip::tcp::endpoint;

  /// Resolves, connects and shakes hands; whether the peer is paired is asked
  /// of pinned().
  ///
  /// @error errc::peer_lost
  static void connect(event_loop& loop,
                      const link_terms& terms,
                      const std::string& host,
                      std::uint16_t port,
                      const ready_handler& ready);
  /// Connects once more to where another lane leads.
  ///
  /// @param preamble  sent before the handshake
  static void connect_beside(event_loop& loop,
                             const link_terms& terms,
                             const endpoint& where,
                             byte_buffer preamble,
                             const ready_handler& ready);
  /// Takes up an accepted socket.
  ///
  /// @param told  counts in the place of the terms' files, where it is set
  static void accept(event_loop& loop,
                     const link_terms& terms,
                     unique_fd socket,
                     const ready_handler& ready,
                     told_keys_ptr told = nullptr);

  lane(event_loop& loop, std::shared_ptr<boost::asio::ssl::context> context);

  void start(handlers callbacks) override;
  void read() override;
  void write(shared_bytes piece) override;
  void end_sending() override;
  void close() override;

  /// Whether its certificate is one of those that were paired.
  /// @error errc::not_paired with what to do
  [[nodiscard]] const result<void>& pinned() const noexcept { return pinned_; }
  [[nodiscard]] const std::string& peer_name() const noexcept override {
    return name_;
  }
  [[nodiscard]] const std::string& peer_key() const noexcept override {
    return key_;
  }
  /// True when both peers' keys are pinned under the same name.
  [[nodiscard]] bool is_same_peer(const lane& other) const noexcept {
    return pinned_ && other.pinned_ && name_ == other.name_;
  }
  [[nodiscard]] link_counters counters() const override;
  [[nodiscard]] link_effort effort() const override;
  [[nodiscard]] std::string congestion_control() const override;
  [[nodiscard]] endpoint peer() const;

 private:
  using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  [[nodiscard]] int socket() const;
  void limit_handshake();
  void shake_hands(const link_terms& terms,
                   boost::asio::ssl::stream_base::handshake_type side,
                   const ready_handler& ready);
  [[nodiscard]] result<void> check_peer(const link_terms& terms);
  void watch_peer();
  void lose(const error& cause, bool cleanly = false);

  event_loop& loop_;
  told_keys_ptr told_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  stream stream_;
  std::shared_ptr<const handlers> handlers_;  ///< null: nobody is told
  std::array<std::byte, 65536> input_{};
  timer deadline_;
  timer watch_timer_;
  silence_watch silence_;
  bool reading_ = false;
  bool closed_ = false;
  result<void> pinned_;
  std::string name_;
  std::string key_;
  link_counters last_counters_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_HPP
