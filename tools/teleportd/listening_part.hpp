// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/listening_part.hpp: has teleport-listen listen while that is
// wanted. The socket is bound here, as a port may need root's rights, given
// away, and closed here: nothing of root's is open to the network.
//
// teleport-listen is started here and started again when it ends; or it has a
// unit of its own and comes to a door (base/packet_door.hpp).
//
// Threads: the loop's thread; two of the pool's wait for packets and for a
//          process.
// Trust:   what comes from there is said by whoever has taken it over.

#ifndef TOOLS_TELEPORTD_LISTENING_PART_HPP
#define TOOLS_TELEPORTD_LISTENING_PART_HPP

#include <functional>
#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/packet.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class listening_part {
 public:
  struct handlers {
    std::function<void(packet)> on_visit;
    /// The port is not to be had.
    std::function<void(const error&)> on_failed;
    /// teleport-listen listens; or, where it comes to a door, the door is open
    /// and the port free. May be called again.
    std::function<void()> on_ready;
  };

  /// @param door  where teleport-listen comes to; empty: it is started here
  listening_part(event_loop& loop,
                 const settings& options,
                 std::string door,
                 handlers callbacks);

  void begin();
  void end();

  /// Of the pool.
  static constexpr unsigned threads = 2;

 private:
  void find();
  void start();
  [[nodiscard]] result<unique_fd> bind() const;
  [[nodiscard]] bool is_worth_another_try(const result<unique_fd>& bound);
  void on_found(unique_fd socket);
  void order();
  void hear();
  void on_ended();

  event_loop& loop_;
  const settings& options_;
  std::string door_path_;
  handlers handlers_;
  unique_fd door_;
  bool is_wanted_ = false;
  bool is_finding_ = false;
  /// To teleport-listen; a thread of the pool may be waiting at it.
  std::shared_ptr<unique_fd> socket_;
  int tries_ = 0;
  timer later_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_LISTENING_PART_HPP
