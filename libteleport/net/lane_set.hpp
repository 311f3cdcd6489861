// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_set.hpp: the lanes of one link, by number: which of them
// carries the next bytes, and the records that their bytes are (PROTOCOL.md,
// 1.1). Pure: the sockets are the connection's.
//
// Threads: one owner.
// Trust:   what the lanes received is hostile: framed with limits, and slices
//          are accepted only where they were allowed.

#ifndef LIBTELEPORT_NET_LANE_SET_HPP
#define LIBTELEPORT_NET_LANE_SET_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/net/record_queue.hpp"
#include "libteleport/net/shared_bytes.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/slice_order.hpp"

namespace teleport {

class lane_set {
 public:
  /// Which way records go in slices, once there are several lanes.
  enum class slices { never, out, in };

  /// What is to be written next, and on which lane.
  struct write {
    std::size_t lane = 0;
    shared_bytes bytes;
    std::size_t of_records = 0;  ///< bytes of the queue that these are
  };

  /// With the link's first lane, whose number is 0.
  lane_set() : lanes_(1) {}

  /// @param input  with what was received behind JOIN already
  /// @return the new lane's number
  std::size_t add(framer input);
  [[nodiscard]] std::size_t size() const noexcept { return lanes_.size(); }
  void allow(slices direction) noexcept { direction_ = direction; }

  /// Bytes that were received on a lane.
  void feed(std::size_t lane, byte_span bytes);
  /// The peer's next record, of whichever lanes.
  ///
  /// @return nullopt when more bytes are needed
  /// @error errc::protocol
  [[nodiscard]] result<std::optional<raw_record>> next_record();
  /// False when enough of a lane's slices wait for others.
  [[nodiscard]] bool may_read(std::size_t lane) const noexcept {
    return order_.may_read(lane);
  }

  /// Pops bytes from the queue for a lane on which nothing is being written.
  /// Lanes take turns, so that all carry the same where all have room.
  ///
  /// @param most  bytes of records
  /// @return nullopt when nothing is queued, or no lane is free
  [[nodiscard]] std::optional<write> next_write(record_queue& queue,
                                                std::size_t most);
  /// @return the bytes of records that were written with this
  std::size_t on_written(std::size_t lane) noexcept;
  /// True when a lane has a write under way.
  [[nodiscard]] bool is_writing() const noexcept;

  /// The peer sends no more on a lane, and nothing more is written to it.
  void end(std::size_t lane) noexcept { lanes_[lane].ended = true; }
  [[nodiscard]] bool has_ended(std::size_t lane) const noexcept {
    return lanes_[lane].ended;
  }
  [[nodiscard]] bool all_ended() const noexcept;

 private:
  struct lane_state {
    framer input;
    std::optional<std::size_t> writing;  ///< bytes of records under way
    bool ended = false;
  };

  [[nodiscard]] std::optional<std::size_t> next_free() const noexcept;

  std::vector<lane_state> lanes_;
  slices direction_ = slices::never;
  std::optional<std::uint64_t> next_slice_;  ///< out; set once they have begun
  std::size_t turn_ = 0;                     ///< the lane to ask first
  bool slices_begun_ = false;                ///< in
  slice_order order_;
  framer stream_;  ///< the bytes of the slices that came, in order
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_SET_HPP
