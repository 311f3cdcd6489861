// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/fate_query.hpp: asks the destination what became of a
// teleport whose answer was lost, with growing pauses, until it knows.
//
// Threads: the loop's thread.
// Trust:   none is believed but the host whose key the journal has.

#ifndef XL_TELEPORT_SOURCE_FATE_QUERY_HPP
#define XL_TELEPORT_SOURCE_FATE_QUERY_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/end_records.hpp"

namespace teleport {

class fate_query {
 public:
  struct target {
    key_files keys;
    std::string host;
    std::uint16_t port = 0;
    /// SHA-256 of the certificate of the host that got GO; empty: any paired.
    std::string key;
    teleport_query question;
  };

  /// @param answered  nullopt: nobody knew within `limit`; heard() says why
  fate_query(event_loop& loop,
             target whom,
             std::chrono::seconds limit,
             std::function<void(std::optional<destination_fate>)> answered);

  void ask();

  /// What the last attempt came to, as part of a sentence; empty before one.
  [[nodiscard]] const std::string& heard() const noexcept { return heard_; }

 private:
  void try_once();
  void on_connected(result<std::shared_ptr<connection>> link);
  void on_record(const raw_record& record);
  void again(std::string heard);

  event_loop& loop_;
  target target_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::milliseconds pause_;
  std::function<void(std::optional<destination_fate>)> answered_;
  std::shared_ptr<connection> link_;
  timer timer_;  ///< the limit of an attempt, or the pause before the next
  std::string heard_;
  unsigned attempt_ = 0;
  bool waiting_ = false;
  /// The destination's release may know none but the question without a uuid.
  bool by_id_alone_ = false;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_FATE_QUERY_HPP
