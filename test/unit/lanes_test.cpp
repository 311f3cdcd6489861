// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/lanes_test.cpp: several lanes of one connection: records keep their
// order, and who is not of the link does not get into it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "libteleport/base/packet.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "test/support/catch.hpp"
#include "test/support/two_ends.hpp"

using namespace teleport;

namespace {

/// A record's body that tells its place in the order.
byte_buffer numbered_body(std::uint64_t number) {
  byte_writer out;
  out.number(number);
  // From nothing to some slices.
  const byte_buffer rest(number * 7919 % 100'000, std::byte(number & 0xffU));
  out.bytes(rest);
  return std::move(out).take();
}

/// A link whose source is a bare lane: so the test knows the secret.
class link_with_known_secret : public two_ends {
 public:
  explicit link_with_known_secret(const two_hosts& hosts)
      : two_ends(hosts), first_(open(hosts.source, {})) {
    ticket.name.fill(std::byte(1));
    ticket.secret.fill(std::byte(2));
    destination_link.reset();
    while (!destination_link) {  // on this side the handshake is over earlier
      loop.run();
    }
    REQUIRE(*destination_link);
    destination().allow_lanes(inbox());
    destination().start({});
  }

  lane_ticket ticket;

  /// @return bytes that the destination says to who shows this key and says
  ///         this in JOIN; 0: it closed the lane
  std::size_t said_to(const key_files& keys, byte_span join) {
    first_->start({.on_bytes = [&](byte_span /*LANES*/) { loop.stop(); },
                   .on_written = [] {},
                   .on_lost = [&](const error&, bool) { loop.stop(); }});
    first_->write(share(frame(record_type::ask_lanes, encode(ticket))));
    first_->read();
    loop.run();
    const auto further = open(keys, encode_preamble(ticket.name));
    std::size_t said = 0;
    further->start({.on_bytes =
                        [&](byte_span bytes) {
                          said = bytes.size();
                          loop.stop();
                        },
                    .on_written = [] {},
                    .on_lost = [&](const error&, bool) { loop.stop(); }});
    further->write(share(frame(record_type::join, join)));
    further->read();
    loop.run();
    further->close();
    return said;
  }

 private:
  std::shared_ptr<lane> open(const key_files& keys, byte_buffer preamble) {
    std::shared_ptr<lane> opened;
    lane::connect_beside(loop,
                         {keys, {}},
                         {boost::asio::ip::address_v4::loopback(), port()},
                         std::move(preamble),
                         [&](const result<std::shared_ptr<lane>>& made) {
                           REQUIRE(made);
                           opened = *made;
                           loop.stop();
                         });
    while (!opened) {
      loop.run();
    }
    return opened;
  }

  std::shared_ptr<lane> first_;
};

}  // namespace

TEST_CASE("records keep their order over several connections", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 4);
  connection& source = ends.source();
  connection& destination = ends.destination();
  constexpr std::uint64_t records = 600;

  std::uint64_t sent = 0;
  std::uint64_t heard = 0;
  bool greeted = false;
  bool in_order = true;
  bool wide_at_last = false;
  std::optional<error> closed;
  const auto send_more = [&] {
    while (sent < records && source.queued() < 1_MiB) {
      source.send(record_type::extent_data, numbered_body(sent++));
    }
    if (sent == records && source.queued() == 0) {
      wide_at_last = source.lanes() == 4;
      source.finish([] {});
    }
  };
  const auto on_record = [&](const raw_record& record) {
    if (!std::exchange(greeted, true)) {
      return;
    }
    in_order = in_order && record.body == numbered_body(heard++);
    if (heard % 64 == 0) {  // as a slow disk does
      destination.pause();
      ends.loop.post([&] { destination.resume(); });
    }
  };
  ends.start_wide(
      {.on_drained = send_more},
      {.on_record = on_record, .on_closed = [&](const error& cause) {
         closed = cause;
         ends.loop.stop();
       }});
  ends.loop.run();
  CHECK(in_order);
  CHECK(heard == records);
  CHECK(wide_at_last);
  REQUIRE(closed);
  CHECK(closed->code == errc::peer_lost);
  CHECK(destination.lanes() == 4);
}

TEST_CASE("what is said back arrives though lanes are closed with it",
          "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 3);
  connection& source = ends.source();
  connection& destination = ends.destination();
  std::vector<record_type> heard;
  std::string closed;
  const auto go_once_wide = [&] {
    if (source.lanes() == 3 && source.queued() == 0 && heard.empty()) {
      source.send(record_type::go, {});
    } else if (source.queued() == 0) {
      ends.loop.post([&] { source.send(record_type::prepare, {}); });
    }
  };
  const auto on_record = [&](const raw_record& record) {
    if (record.type == record_type::go) {
      destination.send(record_type::go_result, byte_buffer(3_MiB));
      destination.finish([] {});
    }
  };
  ends.start_wide(
      {.on_record =
           [&](const raw_record& record) { heard.push_back(record.type); },
       .on_closed =
           [&](const error& cause) {
             closed = cause.context;
             ends.loop.stop();
           },
       .on_drained = go_once_wide},
      {.on_record = on_record});
  ends.loop.run();
  CAPTURE(closed);
  CHECK(heard == std::vector<record_type>{record_type::go_result});
}

TEST_CASE("a destination that lets in no lanes is no obstacle",
          "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 4);
  connection& source = ends.source();
  connection& destination = ends.destination();
  destination.allow_lanes(ends.dead_inbox());
  destination.start({.on_record = [&](const raw_record& record) {
    CHECK(record.type == record_type::go);
    ends.loop.stop();
  }});
  source.start({});
  source.widen();
  source.send(record_type::go, {});
  ends.loop.run();
  CHECK(source.lanes() == 1);
}

TEST_CASE("who asks for lanes before the greeting is refused", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 2);
  std::optional<error> closed;
  ends.destination().start({.on_closed = [&](const error& cause) {
    closed = cause;
    ends.loop.stop();
  }});
  ends.source().start({});
  ends.source().widen();
  ends.loop.run();
  REQUIRE(closed);
  CHECK(closed->code == errc::protocol);
}

TEST_CASE("who asks for lanes twice is refused", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  std::optional<error> closed;
  // Also where no inbox could be opened the first time.
  ends.destination().allow_lanes(GENERATE(true, false) ? ends.inbox()
                                                       : ends.dead_inbox());
  ends.destination().start({.on_closed = [&](const error& cause) {
    closed = cause;
    ends.loop.stop();
  }});
  ends.source().start({});
  ends.source().send(record_type::ask_lanes, byte_buffer(48));
  ends.source().send(record_type::ask_lanes, byte_buffer(48));
  ends.loop.run();
  REQUIRE(closed);
  CHECK(closed->code == errc::protocol);
}

TEST_CASE("a slice is refused where no lanes were asked for", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  std::optional<error> closed;
  ends.destination().allow_lanes(ends.inbox());
  ends.destination().start({.on_closed = [&](const error& cause) {
    closed = cause;
    ends.loop.stop();
  }});
  ends.source().start({});
  ends.source().send(record_type::slice,
                     encode_slice(0, frame(record_type::go, {})));
  ends.loop.run();
  REQUIRE(closed);
  CHECK(closed->code == errc::protocol);
}

TEST_CASE("a lane that is not let in costs the link nothing", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 3);
  connection& source = ends.source();
  connection& destination = ends.destination();
  hosts.part_destination();  // unpaired since the link came to be
  std::uint64_t heard = 0;
  // Until what was tried has failed for good, records go to and fro.
  ends.start_wide(
      {.on_record =
           [&](const raw_record&) {
             if (heard < 200) {
               source.send(record_type::go, byte_buffer(100'000));
             } else {
               ends.loop.stop();
             }
           },
       .on_closed = [&](const error& cause) { FAIL(cause.context); }},
      {.on_record = [&](const raw_record&) {
        ++heard;
        destination.send(record_type::go_result, {});
      }});
  ends.loop.run();
  CHECK(source.lanes() == 1);
  CHECK(destination.lanes() == 1);
}

TEST_CASE("who knows the secret and shows the link's key joins it",
          "[net][lanes]") {
  const paired_hosts hosts;
  link_with_known_secret link(hosts);
  const byte_buffer answer = frame(record_type::join, {});
  CHECK(link.said_to(hosts.source, link.ticket.secret) == answer.size());
  CHECK(link.destination().lanes() == 2);
}

TEST_CASE("who does not know the secret does not get into a link",
          "[net][lanes]") {
  const paired_hosts hosts;
  link_with_known_secret link(hosts);
  CHECK(link.said_to(hosts.source, GENERATE(byte_buffer(32), byte_buffer())) ==
        0);
  CHECK(link.destination().lanes() == 1);
}

TEST_CASE("another paired host does not get into a link, secret or not",
          "[net][lanes]") {
  const paired_hosts hosts;
  const key_files another = hosts.pair_another("another");
  link_with_known_secret link(hosts);
  CHECK(link.said_to(another, link.ticket.secret) == 0);
  CHECK(link.destination().lanes() == 1);
}

TEST_CASE("a connection may go while it writes", "[net][lanes]") {
  const unsigned lanes = GENERATE(1U, 3U);
  const int last = GENERATE(1, 2, 3, 5, 8, 13);
  const paired_hosts hosts;
  linked_ends ends(hosts, lanes);
  connection& destination = ends.destination();
  connection* const source = &ends.source();
  const byte_buffer body(1_MiB);
  int heard = 0;
  ends.start_wide({.on_record =
                       [&](const raw_record&) {
                         if (++heard == last) {
                           source->close();
                           ends.source_link.reset();  // the last that knew it
                         }
                       },
                   .on_drained =
                       [&] {
                         while (source->queued() < 4_MiB) {
                           source->send(record_type::extent_data, body);
                         }
                       }},
                  {.on_record =
                       [&](const raw_record&) {
                         destination.send(record_type::go_result, {});
                       },
                   .on_closed = [&](const error&) { ends.loop.stop(); }});
  ends.loop.run();
  CHECK(heard == last);
}

TEST_CASE("a connection that nobody knows any more is closed", "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  bool closed = false;
  ends.destination().start({.on_closed = [&](const error&) {
    closed = true;
    ends.loop.stop();
  }});
  ends.source().start({});
  ends.source_link.reset();
  ends.loop.run();
  CHECK(closed);
}

TEST_CASE("a link's announcement is read, and nothing else for one",
          "[net][lanes]") {
  auto ends = connected_sockets(SOCK_SEQPACKET);
  REQUIRE(ends);
  event_loop loop(1);
  lane_inbox inbox(loop, std::move(ends->other));
  lane_name name{};
  name.fill(std::byte(7));
  REQUIRE(inbox.open(name, [](unique_fd) {}));
  const auto said = receive_packet(ends->one.get(), max_announcement_bytes);
  REQUIRE(said);
  CHECK(read_announcement(said->bytes) == name);
  CHECK_FALSE(read_announcement(said->bytes + "x"));
  CHECK_FALSE(read_announcement(""));
  CHECK_FALSE(read_announcement(std::string(said->bytes.size(), 'l')));
}
