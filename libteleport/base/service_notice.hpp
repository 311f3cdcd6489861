// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/service_notice.hpp: tells systemd how far a service is:
// sd_notify(3), whose protocol is one datagram and does not change. libsystemd
// would bring four more libraries into a process of root's.
//
// Threads: one owner. Blocks: never.

#ifndef LIBTELEPORT_BASE_SERVICE_NOTICE_HPP
#define LIBTELEPORT_BASE_SERVICE_NOTICE_HPP

#include <string>
#include <string_view>
#include <utility>

#include "libteleport/base/error.hpp"

namespace teleport {

class service_notice {
 public:
  /// By NOTIFY_SOCKET, which is removed from the environment: programs that
  /// this process starts are none of that service.
  ///
  /// @pre there is no other thread
  [[nodiscard]] static service_notice from_environment();

  /// @param socket  path, or "@NAME" of an abstract one; empty: nobody is told
  explicit service_notice(std::string socket) : socket_(std::move(socket)) {}

  /// @param lines  such as "READY=1" or "STATUS=a sentence"
  [[nodiscard]] result<void> tell(std::string_view lines) const;

 private:
  std::string socket_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_SERVICE_NOTICE_HPP
