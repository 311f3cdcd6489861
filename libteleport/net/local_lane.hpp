// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/local_lane.hpp: bytes between two processes of this host, of
// which one has the network and the other root's rights.
//
// Threads: the loop's thread alone. Events never come from inside a call.
// Trust:   what comes is as hostile as from the network: the other process may
//          have been taken over by whoever it speaks with.

#ifndef LIBTELEPORT_NET_LOCAL_LANE_HPP
#define LIBTELEPORT_NET_LOCAL_LANE_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/byte_link.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

class local_lane : public byte_link,
                   public std::enable_shared_from_this<local_lane> {
 public:
  /// @param socket  one of connected_sockets(SOCK_STREAM)
  /// @param name    of the paired host that is at the other process's far end
  /// @param key     that host's
  local_lane(event_loop& loop,
             unique_fd socket,
             std::string name,
             std::string key);

  void start(handlers callbacks) override;
  void read() override;
  void write(shared_bytes piece) override;
  void end_sending() override;
  void close() override;

  [[nodiscard]] const std::string& peer_name() const noexcept override {
    return name_;
  }
  [[nodiscard]] const std::string& peer_key() const noexcept override {
    return key_;
  }
  /// Of what the other process has been given and has given.
  [[nodiscard]] link_counters counters() const override { return counters_; }
  [[nodiscard]] link_effort effort() const override { return {}; }
  [[nodiscard]] std::string congestion_control() const override { return {}; }

 private:
  void lose(const error& cause, bool cleanly);

  boost::asio::local::stream_protocol::socket socket_;
  std::shared_ptr<const handlers> handlers_;  ///< null: nobody is told
  std::vector<std::byte> input_;
  bool reading_ = false;
  bool closed_ = false;
  std::string name_;
  std::string key_;
  link_counters counters_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LOCAL_LANE_HPP
