// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/connection_test.cpp: two connections over TLS on loopback, in one
// loop: what is said last arrives, and who is unknown is told so.

#include "libteleport/net/connection.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"
#include "test/support/two_ends.hpp"

using namespace teleport;

namespace {

/// What is heard on a lane until the peer closes it.
struct lane_ear : std::enable_shared_from_this<lane_ear> {
  std::shared_ptr<lane> link;
  std::size_t bytes = 0;
  std::optional<raw_record> record;  ///< the first
  bool has_ended = false;

  void listen(std::function<void()> on_end) {
    link->start({.on_bytes =
                     [this](byte_span heard) {
                       bytes += heard.size();
                       input_.feed(heard);
                       if (auto next = input_.next();
                           next && *next && !record) {
                         record = std::move(**next);
                       }
                       link->read();
                     },
                 .on_written = [] {},
                 .on_lost =
                     [this, on_end = std::move(on_end)](const error&, bool) {
                       has_ended = true;
                       on_end();
                     }});
    link->read();
  }

 private:
  framer input_;
};

}  // namespace

TEST_CASE("the last record arrives though much was left unread", "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  connection& source = ends.source();
  connection& destination = ends.destination();

  std::vector<record_type> heard;
  source.start({.on_record = [&](const raw_record& record) {
    heard.push_back(record.type);
  }});
  destination.start({.on_record = [&](const raw_record&) {
    destination.pause();
    destination.send(record_type::fail, {});
    // Once it is done, the peer has all of it.
    destination.finish([&] { ends.loop.stop(); });
  }});
  const byte_buffer body(1_MiB);
  for (int i = 0; i < 16; ++i) {
    source.send(record_type::extent_data, body);
  }
  ends.loop.run();
  CHECK(heard == std::vector<record_type>{record_type::fail});
}

TEST_CASE("a connection that finishes is closed when the peer vanishes",
          "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  ends.source().start({});
  ends.source().send(record_type::go, {});
  ends.source().finish([&] { ends.loop.stop(); });
  ends.destination().close();
  ends.loop.run();  // returns: that is the test
  bool again = false;
  ends.source().finish([&] {
    again = true;
    ends.loop.stop();
  });
  ends.loop.run();
  CHECK(again);
}

TEST_CASE("a source that the destination does not know is told so", "[net]") {
  two_hosts hosts;
  hosts.pair_source();
  two_ends ends(hosts);
  REQUIRE(*ends.source_link);
  REQUIRE_FALSE(*ends.destination_link);
  CHECK(ends.destination_link->error().code == errc::not_paired);
}

TEST_CASE("a stranger hears why, and nothing that it says is read", "[net]") {
  two_hosts hosts;
  hosts.pair_source();
  event_loop loop(1);
  listening_socket listening;
  const auto stranger = std::make_shared<lane_ear>();
  std::optional<error> refused;
  const auto stop_when_over = [&] {
    if (refused && stranger->has_ended) {
      loop.stop();
    }
  };
  loop.work([&] { return listening.accept().release(); },
            [&](int socket) {
              connection::accept(
                  loop,
                  {hosts.destination, {}},
                  unique_fd(socket),
                  [&](const result<std::shared_ptr<connection>>& ready) {
                    REQUIRE_FALSE(ready);
                    refused = ready.error();
                    stop_when_over();
                  });
            });
  lane::connect_beside(
      loop,
      {hosts.source, {}},
      {boost::asio::ip::address_v4::loopback(), listening.port()},
      {},
      [&](const result<std::shared_ptr<lane>>& made) {
        REQUIRE(made);
        stranger->link = *made;
        stranger->listen(stop_when_over);
        // Whoever read this would close the connection at once, and so without
        // a word: it is no record.
        stranger->link->write(share(byte_buffer(4_MiB, std::byte(0xff))));
      });
  loop.run();
  REQUIRE(refused);
  CHECK(refused->code == errc::not_paired);
  REQUIRE(stranger->record);
  CHECK(stranger->record->type == record_type::fail);
  CHECK(as_text(stranger->record->body).find("not_paired") !=
        std::string_view::npos);
}

TEST_CASE("a destination that is not paired is not talked to", "[net]") {
  two_hosts hosts;
  hosts.pair_destination();
  event_loop loop(1);
  listening_socket listening;
  const auto stranger = std::make_shared<lane_ear>();
  std::optional<error> refused;
  const auto stop_when_over = [&] {
    if (refused && stranger->has_ended) {
      loop.stop();
    }
  };
  loop.work([&] { return listening.accept().release(); },
            [&](int socket) {
              lane::accept(loop,
                           {hosts.destination, {}},
                           unique_fd(socket),
                           [&](const result<std::shared_ptr<lane>>& made) {
                             REQUIRE(made);
                             stranger->link = *made;
                             stranger->listen(stop_when_over);
                           });
            });
  connection::connect(loop,
                      {hosts.source, {}},
                      "127.0.0.1",
                      listening.port(),
                      [&](const result<std::shared_ptr<connection>>& ready) {
                        REQUIRE_FALSE(ready);
                        refused = ready.error();
                        stop_when_over();
                      });
  loop.run();
  REQUIRE(refused);
  CHECK(refused->code == errc::not_paired);
  CHECK(refused->context ==
        "127.0.0.1 is not paired with this host (its key is unknown here): run "
        "'teleportctl pair root@127.0.0.1' here");
  CHECK(stranger->bytes == 0);
}

TEST_CASE("nothing is delivered from inside resume()", "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  connection& destination = ends.destination();
  int heard = 0;
  int heard_inside = 0;
  destination.start({.on_record = [&](const raw_record&) {
    if (++heard > 1) {
      ends.loop.stop();
      return;
    }
    destination.pause();
    ends.loop.post([&] {
      destination.resume();
      heard_inside = heard;
    });
  }});
  ends.source().start({});
  // Together, so that the second is here when the first is heard.
  ends.source().send(record_type::go, {});
  ends.source().send(record_type::go, {});
  ends.loop.run();
  CHECK(heard == 2);
  CHECK(heard_inside == 1);
}
