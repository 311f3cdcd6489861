// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/connection.hpp: records over TCP and TLS 1.3, both sides
// authenticated with pinned certificates.
//
// Threads: the loop's thread alone. Callbacks never run inside send().
// Trust:   nothing of a peer is believed before its certificate was found
//          among the pinned ones; its records are framed with limits.

#ifndef LIBTELEPORT_NET_CONNECTION_HPP
#define LIBTELEPORT_NET_CONNECTION_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/loop.hpp"
#include "libteleport/net/pacer.hpp"
#include "libteleport/net/silence.hpp"
#include "libteleport/wire/framer.hpp"

namespace teleport {

class connection : public std::enable_shared_from_this<connection> {
 public:
  using ready_handler =
      std::function<void(result<std::shared_ptr<connection>>)>;

  struct handlers {
    std::function<void(raw_record)> on_record;
    /// Once, last: the peer is gone (errc::peer_lost) or broke the protocol.
    std::function<void(error)> on_closed;
    /// Some of what was queued, or all, has been given to the kernel.
    std::function<void()> on_drained;
  };

  /// Resolves, connects, shakes hands, and checks that the host is paired.
  ///
  /// @error errc::peer_lost, errc::timeout, errc::not_paired with what to do
  static void connect(event_loop& loop,
                      const key_files& keys,
                      const std::string& host,
                      std::uint16_t port,
                      const ready_handler& ready);

  /// Takes up an accepted socket.
  static void accept(event_loop& loop,
                     const key_files& keys,
                     unique_fd socket,
                     const ready_handler& ready);

  connection(event_loop& loop,
             std::shared_ptr<boost::asio::ssl::context> context);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  connection(connection&&) = delete;
  connection& operator=(connection&&) = delete;
  ~connection() = default;

  /// Begins to deliver records.
  void start(handlers callbacks);

  /// Queues a record; after close() it is dropped.
  void send(record_type type, byte_span body);
  /// Queues a record before all that send() has queued, but behind those that
  /// this has: for short records that a round trip waits for.
  void send_ahead(record_type type, byte_span body);
  /// Bytes queued and not yet given to the kernel.
  [[nodiscard]] std::size_t queued() const noexcept { return queued_; }

  /// Sends no faster than this allows, from now on.
  void set_pacer(std::shared_ptr<pacer> by) { pacer_ = std::move(by); }
  /// What TCP's congestion control is called here: "bbr", "cubic".
  [[nodiscard]] std::string congestion_control() const;

  /// Holds back further records (the kernel's window then holds the peer).
  void pause();
  void resume();

  /// Sends what is queued, waits until the peer has taken it and closed, and
  /// closes; within seconds in any case. What still arrives is dropped: to
  /// close with bytes unread would let TCP throw away what was sent last.
  /// on_closed does not follow.
  ///
  /// @param done  called once it is closed, never from inside; until then the
  ///              loop must run
  void finish(std::function<void()> done);
  /// Closes at once. on_closed does not follow.
  void close();

  [[nodiscard]] link_counters counters() const;
  /// The name under which the peer is paired.
  [[nodiscard]] const std::string& peer_name() const noexcept { return name_; }

 private:
  using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  void write_piece(std::size_t size);
  void enqueue(std::deque<byte_buffer>& to, record_type type, byte_span body);
  void shake_hands(const key_files& keys,
                   boost::asio::ssl::stream_base::handshake_type side,
                   const ready_handler& ready);
  void turn_away(const error& cause, const ready_handler& ready);
  [[nodiscard]] result<void> check_peer(const key_files& keys);
  void read();
  void deliver();
  void write();
  void half_close();
  void watch_peer();
  void fail(error cause);

  event_loop& loop_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  stream stream_;
  timer deadline_;
  handlers handlers_;
  framer framer_;
  std::array<std::byte, 65536> input_{};
  std::deque<byte_buffer> ahead_;
  std::deque<byte_buffer> queue_;
  byte_buffer output_;       ///< being written
  std::size_t written_ = 0;  ///< of output_
  std::shared_ptr<pacer> pacer_;
  timer pace_timer_;
  timer watch_timer_;
  silence_watch silence_;
  std::size_t queued_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool paused_ = false;
  bool delivering_ = false;
  bool closed_ = false;
  bool finishing_ = false;
  bool half_closed_ = false;
  std::function<void()> finished_;
  std::string name_;
  link_counters last_counters_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_CONNECTION_HPP
