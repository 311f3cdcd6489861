// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/fate_query.hpp: asks the destination what became of a teleport
// whose answer was lost, with growing pauses, until it knows.
//
// Threads: the loop's thread.

#ifndef XL_TELEPORT_SOURCE_FATE_QUERY_HPP
#define XL_TELEPORT_SOURCE_FATE_QUERY_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/loop.hpp"

namespace teleport {

class fate_query {
 public:
  struct target {
    key_files keys;
    std::string host;
    std::uint16_t port = 0;
    std::string id;
  };

  /// @param answered  nullopt: nobody answered within `limit`
  fate_query(event_loop& loop,
             target whom,
             std::chrono::seconds limit,
             std::function<void(std::optional<destination_fate>)> answered);

  void ask();

 private:
  void try_once();
  void on_record(const raw_record& record);
  void again();

  event_loop& loop_;
  target target_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::milliseconds pause_;
  std::function<void(std::optional<destination_fate>)> answered_;
  std::shared_ptr<connection> link_;
  timer timer_;
  bool waiting_ = false;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_FATE_QUERY_HPP
