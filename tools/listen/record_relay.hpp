// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/record_relay.hpp: passes records on between a source and the
// process that has the disks, each once it was checked; until one of the two
// ends. Neither side is read faster than the other one is written to.
//
// Threads: the loop's thread alone.
// Trust:   the source is a paired host and may be hostile.

#ifndef TOOLS_LISTEN_RECORD_RELAY_HPP
#define TOOLS_LISTEN_RECORD_RELAY_HPP

#include <functional>
#include <memory>

#include "libteleport/base/error.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/session/source_records.hpp"

namespace teleport {

class record_relay {
 public:
  /// @param source   over the network
  /// @param session  the process that has the disks
  /// @param lanes    for the source's further connections
  /// @param told     of the keys that they may show
  /// @param over     called once, last, when both are closed
  record_relay(std::shared_ptr<connection> source,
               std::shared_ptr<connection> session,
               std::unique_ptr<lane_inbox> lanes,
               told_keys_ptr told,
               std::function<void()> over);

  void start();

 private:
  void on_source(raw_record record);
  void on_session(const raw_record& record);
  void refuse(const error& cause);
  void end_source();
  void end_session(const error& cause);

  std::shared_ptr<connection> source_;
  std::shared_ptr<connection> session_;
  std::unique_ptr<lane_inbox> lanes_;
  told_keys_ptr told_;
  std::function<void()> over_;
  source_records checks_;
  bool is_ending_ = false;
};

}  // namespace teleport

#endif  // TOOLS_LISTEN_RECORD_RELAY_HPP
