// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/byte_link.hpp: bytes to whoever has a known key, and bytes
// from it. A lane carries them over a network (lane.hpp), a local_lane between
// two processes of a host.
//
// Threads: the loop's thread alone. Events never come from inside a call.

#ifndef LIBTELEPORT_NET_BYTE_LINK_HPP
#define LIBTELEPORT_NET_BYTE_LINK_HPP

#include <functional>
#include <string>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/shared_bytes.hpp"

namespace teleport {

class byte_link {
 public:
  struct handlers {
    /// After each read(), once; the bytes are valid during the call.
    std::function<void(byte_span)> on_bytes;
    /// After each write(), once.
    std::function<void()> on_written;
    /// Once, last; the link is closed.
    /// @param cleanly  the peer closed it, and all that it sent was told
    std::function<void(const error& cause, bool cleanly)> on_lost;
  };

  byte_link() = default;
  byte_link(const byte_link&) = delete;
  byte_link& operator=(const byte_link&) = delete;
  byte_link(byte_link&&) = delete;
  byte_link& operator=(byte_link&&) = delete;
  virtual ~byte_link() = default;

  /// Watches the peer from now on, and calls back; other handlers may follow.
  virtual void start(handlers callbacks) = 0;
  /// Awaits the next bytes, unless it does so already.
  virtual void read() = 0;
  /// One at a time.
  virtual void write(shared_bytes piece) = 0;
  /// No more is sent; the peer sees the end.
  virtual void end_sending() = 0;
  /// Closes at once. Nothing is told any more.
  virtual void close() = 0;

  /// The name under which the peer is paired.
  [[nodiscard]] virtual const std::string& peer_name() const noexcept = 0;
  /// Whose key it has: SHA-256, in hexadecimal, of the certificate that the
  /// host was first paired with; of the one that it showed where it is unknown.
  [[nodiscard]] virtual const std::string& peer_key() const noexcept = 0;
  [[nodiscard]] virtual link_counters counters() const = 0;
  [[nodiscard]] virtual link_effort effort() const = 0;
  [[nodiscard]] virtual std::string congestion_control() const = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_BYTE_LINK_HPP
