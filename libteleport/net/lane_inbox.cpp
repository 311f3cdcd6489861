// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_inbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/packet.hpp"

namespace teleport {

namespace {

using boost::asio::posix::stream_descriptor;

constexpr std::string_view announcement = "lanes:";
constexpr std::string_view passed_lane = "lane";

}  // namespace

std::optional<lane_name> read_announcement(std::string_view packet) {
  lane_name name{};
  if (!packet.starts_with(announcement) ||
      packet.size() != announcement.size() + name.size()) {
    return std::nullopt;
  }
  std::ranges::copy(as_bytes(packet.substr(announcement.size())), name.begin());
  return name;
}

result<void> pass_lane(int inbox, int socket) {
  return send_packet(inbox, passed_lane, {socket});
}

struct lane_inbox::state : std::enable_shared_from_this<state> {
  state(event_loop& loop, unique_fd fd)
      : socket(loop.context(), fd.release()) {}

  stream_descriptor socket;
  std::function<void(unique_fd)> on_lane;

  void wait() {
    socket.async_wait(
        stream_descriptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& failure) {
          if (failure || !self->socket.is_open()) {
            return;
          }
          auto came = receive_packet(
              self->socket.native_handle(), passed_lane.size(), MSG_DONTWAIT);
          if (!came && came.error().code == errc::peer_lost) {
            return;  // who listened has ended: there will be no more
          }
          if (came && came->descriptors.size() == 1) {
            const auto tell = self->on_lane;
            tell(std::move(came->descriptors.front()));
          }
          if (self->socket.is_open()) {
            self->wait();
          }
        });
  }
};

lane_inbox::lane_inbox(event_loop& loop, unique_fd socket)
    : state_(std::make_shared<state>(loop, std::move(socket))) {}

result<void> lane_inbox::open(const lane_name& name,
                              std::function<void(unique_fd)> on_lane) {
  const auto asked =
      send_packet(state_->socket.native_handle(),
                  std::string(announcement) + std::string(as_text(name)));
  if (asked) {
    state_->on_lane = std::move(on_lane);
    state_->wait();
  }
  return asked;
}

lane_inbox::~lane_inbox() {
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

}  // namespace teleport
