// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/connection.hpp: records to a paired host and from it, over one
// lane or, where one cannot fill the link, over several (PROTOCOL.md, 1.1).
//
//   connection::connect(...)   the source; widen() lets it open more lanes
//   connection::accept(...)    the destination; allow_lanes() lets them in
//
// Threads: the loop's thread alone. Callbacks never run inside send().
// Trust:   a lane counts once its key is known to be the peer's; records are
//          framed with limits.

#ifndef LIBTELEPORT_NET_CONNECTION_HPP
#define LIBTELEPORT_NET_CONNECTION_HPP

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane.hpp"
#include "libteleport/net/lane_door.hpp"
#include "libteleport/net/lane_policy.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/net/loop.hpp"
#include "libteleport/net/pacer.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/slice_order.hpp"

namespace teleport {

class connection : public lane_owner,
                   public std::enable_shared_from_this<connection> {
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
                      const link_terms& terms,
                      const std::string& host,
                      std::uint16_t port,
                      const ready_handler& ready);

  /// Takes up an accepted socket.
  static void accept(event_loop& loop,
                     const link_terms& terms,
                     unique_fd socket,
                     const ready_handler& ready);

  connection(event_loop& loop, link_terms terms, std::shared_ptr<lane> first);

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

  /// The source: from now on there may be more lanes, as the options say.
  void widen();
  /// The destination: lets the peer open more lanes.
  /// @param run_path  where other processes of teleportd find this one
  void allow_lanes(const std::string& run_path) { run_path_ = run_path; }
  /// Lanes that there are.
  [[nodiscard]] unsigned lanes() const noexcept;

  /// Holds back further records (the kernel's window then holds the peer).
  void pause();
  /// Nothing is delivered from inside this call.
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

  /// Of all lanes.
  [[nodiscard]] link_counters counters() const;
  /// The name under which the peer is paired.
  [[nodiscard]] const std::string& peer_name() const noexcept;

 private:
  /// A lane and what is under way on it. The first is the one that was there
  /// first.
  struct track {
    track(std::shared_ptr<lane> with, framer from)
        : link(std::move(with)), input(std::move(from)) {}
    std::shared_ptr<lane> link;
    framer input;
    byte_buffer output;    ///< being written
    std::size_t size = 0;  ///< of the records' bytes in it
    bool writing = false;
    bool ended = false;  ///< the peer sends no more
    link_effort effort;  ///< at the last look
  };

  void on_bytes(lane& from, byte_span bytes) override;
  void on_written(lane& by) override;
  void on_lost(lane& which, const error& cause, bool cleanly) override;

  void turn_away(const error& cause, const ready_handler& ready);
  void enqueue(std::deque<byte_buffer>& to, record_type type, byte_span body);
  void read();
  void deliver();
  [[nodiscard]] result<std::optional<raw_record>> next_record();
  void write();
  void write_on(track& to);
  [[nodiscard]] byte_span next_output(std::size_t most);
  void half_close();
  void fail(error cause);
  [[nodiscard]] track* track_of(const lane& one) noexcept;

  // connection_lanes.cpp: how further lanes come to be
  [[nodiscard]] result<void> on_link_record(const raw_record& record);
  [[nodiscard]] result<void> on_ask_lanes(const raw_record& record);
  [[nodiscard]] result<void> on_lanes(const raw_record& record);
  void take_lane(unique_fd socket);
  void await_join(const std::shared_ptr<lane>& one);
  [[nodiscard]] bool is_same_peer(const lane& one) const;
  void look_later();
  void look();
  void want_lanes(unsigned count);
  void open_lane();
  void say_join(const std::shared_ptr<lane>& one);
  void lane_failed(const error& cause);
  void add_lane(const std::shared_ptr<lane>& one, framer input);

  event_loop& loop_;
  link_terms terms_;
  handlers handlers_;
  std::vector<std::unique_ptr<track>> tracks_;
  std::deque<byte_buffer> ahead_;
  std::deque<byte_buffer> queue_;
  byte_buffer output_;      ///< whole records, being written
  std::size_t taken_ = 0;   ///< of output_, by lanes
  std::size_t queued_ = 0;  ///< bytes of records
  std::shared_ptr<pacer> pacer_;
  timer pace_timer_;
  bool pacing_ = false;  ///< a lane waits for its turn on the link
  timer deadline_;
  bool write_posted_ = false;
  bool paused_ = false;
  bool delivering_ = false;
  bool closed_ = false;
  bool finishing_ = false;
  bool half_closed_ = false;
  bool ending_ = false;  ///< the peer has closed a lane
  std::function<void()> finished_;
  link_counters last_counters_;

  // Several lanes.
  std::optional<std::uint64_t> next_slice_;  ///< set: records go in slices
  std::size_t turn_ = 0;
  bool slices_come_ = false;
  slice_order order_;
  framer whole_;  ///< the slices' stream
  std::string run_path_;
  lane_name lanes_name_{};
  extent_digest lanes_secret_{};
  std::unique_ptr<lane_door> door_;
  unsigned joining_ = 0;
  bool was_asked_ = false;  ///< the destination: for lanes
  bool asked_ = false;      ///< the source: for lanes
  bool answered_ = false;
  unsigned may_open_ = 0;  ///< further lanes that the destination lets in
  unsigned wanted_ = 1;
  unsigned opening_ = 0;
  unsigned failed_ = 0;  ///< lanes that came to nothing
  lane_policy policy_;
  timer look_timer_;
  bool was_paced_ = false;  ///< since the last look
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_CONNECTION_HPP
