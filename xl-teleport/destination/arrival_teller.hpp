// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/arrival_teller.hpp: tells 'teleportctl jobs' of a
// destination's session, once a second.
//
// Threads: the loop's thread; end() after it. Blocks: end() on files.

#ifndef XL_TELEPORT_DESTINATION_ARRIVAL_TELLER_HPP
#define XL_TELEPORT_DESTINATION_ARRIVAL_TELLER_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/destination/arrival_sight.hpp"
#include "xl-teleport/setup/running_job.hpp"

namespace teleport {

class arrival_teller {
 public:
  /// @param look  at the session; called while the loop runs
  arrival_teller(event_loop& loop,
                 running_job& told,
                 std::string host,
                 std::function<arrival_sight()> look);

  void start();
  /// The loop has stopped.
  /// @param last  of the session, which has let go of all that it held
  void end(const arrival_sight& last);

 private:
  void tick();

  event_loop& loop_;
  running_job& told_;
  std::string host_;
  std::function<arrival_sight()> look_;
  job_ticker ticker_;
  std::uint64_t received_ = 0;  ///< when it was looked at last
  std::chrono::steady_clock::time_point looked_at_;
  timer next_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_ARRIVAL_TELLER_HPP
