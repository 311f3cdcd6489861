// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/record_queue.hpp: records that wait to be sent, as one stream
// of bytes from which lanes pop pieces. Pure. Which record may overtake which:
// PROTOCOL.md, section 3.7.
//
// Threads: one owner.

#ifndef LIBTELEPORT_NET_RECORD_QUEUE_HPP
#define LIBTELEPORT_NET_RECORD_QUEUE_HPP

#include <cstddef>
#include <deque>
#include <memory>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/shared_bytes.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

class record_queue {
 public:
  /// Records are joined into batches of about so many bytes.
  static constexpr std::size_t batch_bytes = 256_KiB;
  /// The same of what push_behind() has: a batch is not overtaken.
  static constexpr std::size_t behind_batch_bytes = 32_KiB;

  void push(record_type type, byte_span body);
  /// Before all that push() has queued, but behind what this has, and behind
  /// the batch that is being popped: for short records that a round trip waits
  /// for.
  void push_ahead(record_type type, byte_span body);
  /// Behind all that the others have queued, and will queue while this waits.
  void push_behind(record_type type, byte_span body);
  /// The last record: what waits is dropped, but for the rest of the batch that
  /// is being popped.
  void push_last(record_type type, byte_span body);

  /// The next bytes of the stream. No bytes when nothing waits.
  ///
  /// @param most  of them, at least 1
  [[nodiscard]] shared_bytes pop(std::size_t most);
  /// True when the bytes popped so far are whole records.
  [[nodiscard]] bool is_between_records() const noexcept;

  /// So many of the bytes popped were given to the kernel.
  /// @pre bytes <= queued()
  void on_written(std::size_t bytes) noexcept { queued_ -= bytes; }
  /// Bytes of records that were not given to the kernel yet.
  [[nodiscard]] std::size_t queued() const noexcept { return queued_; }
  /// Those of push_behind() that were not popped yet.
  [[nodiscard]] std::size_t queued_behind() const noexcept { return behind_; }

 private:
  using records = std::deque<byte_buffer>;
  [[nodiscard]] records* next_records() noexcept;
  void begin_batch();
  void add(records& to, record_type type, byte_span body);
  void drop(records& from) noexcept;

  records ahead_records_;
  records records_;
  records behind_records_;
  std::shared_ptr<const byte_buffer> batch_;  ///< of whole records, of one kind
  bool batch_is_behind_ = false;
  std::size_t popped_ = 0;  ///< bytes of batch_
  std::size_t queued_ = 0;
  std::size_t behind_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_RECORD_QUEUE_HPP
