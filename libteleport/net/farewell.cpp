// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/farewell.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/net/shared_bytes.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/framer.hpp"

namespace teleport {

namespace {

/// Some round trips.
constexpr std::chrono::seconds farewell_limit{5};

class farewell : public std::enable_shared_from_this<farewell> {
 public:
  farewell(std::shared_ptr<lane> stranger, std::function<void()> done)
      : lane_(std::move(stranger)), done_(std::move(done)) {}

  void begin(event_loop& loop) {
    // The timer owns this until over().
    deadline_ = loop.after(farewell_limit,
                           [self = shared_from_this()] { self->over(); });
    const auto weak = weak_from_this();
    lane_->start({.on_bytes =
                      [weak](byte_span /*unread*/) {
                        if (const auto self = weak.lock()) {
                          self->lane_->read();  // to its end
                        }
                      },
                  .on_written =
                      [weak] {
                        if (const auto self = weak.lock()) {
                          self->lane_->end_sending();
                          self->lane_->read();
                        }
                      },
                  .on_lost =
                      [weak](const error& /*cause*/, bool /*cleanly*/) {
                        if (const auto self = weak.lock()) {
                          self->over();
                        }
                      }});
    lane_->write(
        share(frame(record_type::fail,
                    encode(failure_note{
                        std::string(name_of(errc::not_paired)),
                        "the destination does not know this host's key: run "
                        "'teleportctl pair root@DESTINATION' on this host"}))));
  }

 private:
  void over() {
    const auto kept = shared_from_this();
    deadline_ = timer();
    lane_->close();
    if (const auto done = std::exchange(done_, nullptr)) {
      done();
    }
  }

  std::shared_ptr<lane> lane_;
  std::function<void()> done_;
  timer deadline_;
};

}  // namespace

void turn_away(event_loop& loop,
               const std::shared_ptr<lane>& stranger,
               std::function<void()> done) {
  std::make_shared<farewell>(stranger, std::move(done))->begin(loop);
}

}  // namespace teleport
