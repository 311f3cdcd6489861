// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/connection.hpp: records to a paired host and from it, over
// one lane or, where one cannot fill the link, over several (PROTOCOL.md, 1.1).
//
//   connection::connect(...)   the source; widen() lets it open more lanes
//   connection::accept(...)    the destination; allow_lanes() lets them in
//   connection::inside(...)    between the process of a destination that speaks
//                              with the source, and the one that has the disks
//
// What is decided is decided elsewhere: record_queue and lane_set say which
// bytes go on which lane, lane_opener and lane_host how further lanes come to
// be.
//
// Threads: the loop's thread alone. Callbacks never run inside send().
// Trust:   a lane counts once its key is known to be the peer's; records are
//          framed with limits.

#ifndef LIBTELEPORT_NET_CONNECTION_HPP
#define LIBTELEPORT_NET_CONNECTION_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/byte_link.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane.hpp"
#include "libteleport/net/lane_host.hpp"
#include "libteleport/net/lane_opener.hpp"
#include "libteleport/net/lane_set.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/net/pacer.hpp"
#include "libteleport/net/record_queue.hpp"
#include "libteleport/net/told_keys.hpp"
#include "libteleport/wire/framer.hpp"

namespace teleport {

class connection : public std::enable_shared_from_this<connection> {
 public:
  using ready_handler =
      std::function<void(result<std::shared_ptr<connection>>)>;

  struct handlers {
    std::function<void(raw_record)> on_record{};
    /// Once, last: the peer is gone (errc::peer_lost) or broke the protocol.
    std::function<void(error)> on_closed{};
    /// Some of what was queued, or all, has been given to the kernel.
    std::function<void()> on_drained{};
  };

  /// Resolves, connects, shakes hands, and checks that the host is paired.
  ///
  /// @error errc::peer_lost, errc::timeout, errc::not_paired with what to do
  static void connect(event_loop& loop,
                      const link_terms& terms,
                      const std::string& host,
                      std::uint16_t port,
                      const ready_handler& ready);

  /// Shakes hands on an accepted socket. A host that is not paired is told so.
  ///
  /// @param told  counts in the place of the terms' files, where it is set
  static void accept(event_loop& loop,
                     const link_terms& terms,
                     unique_fd socket,
                     const ready_handler& ready,
                     const told_keys_ptr& told = nullptr);

  /// To another process of this host.
  ///
  /// @param socket  one of connected_sockets(SOCK_STREAM)
  /// @param peer    who is at the other process's far end
  [[nodiscard]] static std::shared_ptr<connection> inside(
      event_loop& loop, unique_fd socket, const paired_host& peer);

  connection(event_loop& loop, link_terms terms, std::shared_ptr<lane> first);
  connection(event_loop& loop,
             link_terms terms,
             std::shared_ptr<byte_link> only);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  connection(connection&&) = delete;
  connection& operator=(connection&&) = delete;
  ~connection();

  /// Begins to deliver records.
  void start(handlers callbacks);

  /// Queues a record; after finish() or close() it is dropped.
  void send(record_type type, byte_span body);
  /// Queues a record before all that send() has queued, but behind those that
  /// this has: for short records that a round trip waits for.
  void send_ahead(record_type type, byte_span body);
  /// Queues a record behind all that the others have queued and will queue
  /// while it waits.
  void send_behind(record_type type, byte_span body);
  /// Queues the last record. What waits is dropped: the peer hears this one
  /// soon.
  void send_last(record_type type, byte_span body);
  /// Bytes queued and not yet given to the kernel.
  [[nodiscard]] std::size_t queued() const noexcept { return queue_.queued(); }
  /// Those of send_behind(), and the others.
  [[nodiscard]] std::size_t queued_behind() const noexcept {
    return queue_.queued_behind();
  }
  [[nodiscard]] std::size_t queued_before() const noexcept {
    return queue_.queued() - queue_.queued_behind();
  }

  /// Sends no faster than this allows, from now on.
  void set_pacer(std::shared_ptr<pacer> by) { pacer_ = std::move(by); }
  /// From now on waits for no other connection's turn on this host's link.
  void take_right_of_way();
  /// What TCP's congestion control is called here: "bbr", "cubic".
  [[nodiscard]] std::string congestion_control() const;

  /// The source: from now on there may be more lanes, as the options say.
  void widen();
  /// The destination: lets the peer open more lanes.
  /// @pre the link is a network's
  /// @param told  as of accept()
  void allow_lanes(std::unique_ptr<lane_inbox> inbox,
                   told_keys_ptr told = nullptr);
  /// Lanes that there are.
  [[nodiscard]] unsigned lanes() const noexcept;

  /// Holds back further records (the kernel's window then holds the peer).
  void pause() noexcept { paused_ = true; }
  /// Nothing is delivered from inside this call.
  void resume();

  /// Sends what is queued, waits until the peer has received it and closed, and
  /// closes; within the terms' end_limit in any case. What still arrives is
  /// dropped: to close with bytes unread would let TCP throw away what was sent
  /// last. on_closed does not follow.
  ///
  /// @param done  called once it is closed, never from inside; until then the
  ///              loop must run
  void finish(std::function<void()> done);
  /// Closes at once. on_closed does not follow.
  void close();

  /// Of all lanes.
  [[nodiscard]] link_counters counters() const;
  /// The name under which the peer is paired.
  [[nodiscard]] const std::string& peer_name() const noexcept;
  /// SHA-256, in hexadecimal, of the certificate that it was first paired with.
  [[nodiscard]] const std::string& peer_key() const noexcept;

 private:
  enum class stage {
    open,
    finishing,    ///< what is queued is sent, and nothing more is queued
    half_closed,  ///< all is sent; what arrives is thrown away
    closed,
  };

  void listen(std::size_t number);
  void on_bytes(std::size_t number, byte_span bytes);
  void on_written(std::size_t number);
  void on_lost(std::size_t number, const error& cause, bool cleanly);
  void on_joined(std::shared_ptr<lane> made, framer input);

  void read();
  void deliver();
  [[nodiscard]] result<void> on_link_record(const raw_record& record);
  void write_soon();
  void write();
  void write_in_turn(lane_set::write next);
  void write_paced();
  void half_close();
  void fail(error cause);
  [[nodiscard]] link_sight look() const;

  event_loop& loop_;
  link_terms terms_;
  handlers handlers_;
  std::vector<std::shared_ptr<byte_link>> links_;  ///< by number in lanes_
  lane_set lanes_;
  record_queue queue_;
  std::shared_ptr<lane_opener> opener_;  ///< the source, once it may widen
  std::shared_ptr<lane_host> host_;      ///< the destination, likewise
  std::shared_ptr<pacer> pacer_;
  /// Waits for its turn on the link; nothing else is written before it.
  std::optional<lane_set::write> paced_;
  timer pace_timer_;
  timer deadline_;  ///< runs while a peer's end, or ours, is awaited
  stage stage_ = stage::open;
  std::function<void()> finished_;
  bool write_posted_ = false;
  bool paused_ = false;
  bool delivering_ = false;
  std::shared_ptr<lane> first_;  ///< null where the link is no network's
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_CONNECTION_HPP
