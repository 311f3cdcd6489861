// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/slice_order.hpp: slices of one stream that came over several
// lanes, in order again. PROTOCOL.md, section 1.1. Pure.
//
// Threads: one owner.
// Trust:   input is hostile: numbers and lengths are checked, and what waits is
//          bounded as long as may_read() is obeyed.

#ifndef LIBTELEPORT_WIRE_SLICE_ORDER_HPP
#define LIBTELEPORT_WIRE_SLICE_ORDER_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

/// Bytes of the stream in one SLICE: short enough that a slow lane does not
/// keep the others waiting for long, long enough that its 16 bytes do not
/// count.
inline constexpr std::size_t max_slice_bytes = 32_KiB;

/// Bytes of the longest body of a SLICE.
inline constexpr std::size_t max_slice_body = 8 + max_slice_bytes;

/// The body of SLICE number `number`.
/// @pre 1 <= bytes.size() <= max_slice_bytes
[[nodiscard]] byte_buffer encode_slice(std::uint64_t number, byte_span bytes);

class slice_order {
 public:
  /// Bytes that wait for earlier ones before a lane is no longer read.
  static constexpr std::size_t enough_waiting = 32_MiB;
  /// What a slice takes beside its own bytes: many short ones count, too.
  static constexpr std::size_t slice_cost = 128;

  /// Takes the body of a SLICE that came on `lane`.
  ///
  /// @error errc::protocol
  [[nodiscard]] result<void> take(std::size_t lane, byte_span body);
  /// The next bytes of the stream, if they are here.
  [[nodiscard]] std::optional<byte_buffer> next();
  /// Whether more of this lane may be read: the one that the next bytes must
  /// come from always may, for nothing of it waits.
  [[nodiscard]] bool may_read(std::size_t lane) const noexcept;

 private:
  struct waiting {
    std::size_t lane = 0;
    byte_buffer bytes;
  };
  struct lane_state {
    std::size_t bytes = 0;              ///< that wait, and their cost
    std::optional<std::uint64_t> last;  ///< the number that came last
  };

  std::map<std::uint64_t, waiting> waiting_;
  std::vector<lane_state> lanes_;
  std::size_t bytes_ = 0;  ///< of all lanes
  std::uint64_t next_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_SLICE_ORDER_HPP
