// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/record_relay_test.cpp: records of a source reach the session's
// process, and its answers the source, through one that has no rights.

#include "tools/listen/record_relay.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "libteleport/base/packet.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/record.hpp"
#include "test/support/catch.hpp"
#include "test/support/two_ends.hpp"

namespace teleport {
namespace {

/// A source, a relay as its speaker has it, and the session's end of it.
class relayed : public linked_ends {
 public:
  explicit relayed(const two_hosts& hosts, unsigned connections = 1)
      : linked_ends(hosts, connections) {
    auto ends = connected_sockets(SOCK_STREAM);
    REQUIRE(ends);
    const paired_host peer{std::string(64, 'a'), "source"};
    session = connection::inside(loop, std::move(ends->one), peer);
    relay_ = std::make_unique<record_relay>(
        **destination_link,
        connection::inside(loop, std::move(ends->other), peer),
        inbox(),
        nullptr,
        [this] {
          relay_over = true;
          loop.stop();
        });
    relay_->start();
  }
  std::shared_ptr<connection> session;
  bool relay_over = false;

 private:
  std::unique_ptr<record_relay> relay_;
};

byte_buffer piece(std::uint64_t number) {
  byte_buffer body(100'000, std::byte(number & 0xffU));
  return encode(stream_piece_record{1, std::move(body)});
}

}  // namespace

TEST_CASE("a session hears its source's records in order, and is heard",
          "[relay]") {
  const paired_hosts hosts;
  relayed ends(hosts);
  constexpr std::uint64_t records = 200;
  std::uint64_t sent = 0;
  std::uint64_t heard = 0;
  bool in_order = true;
  std::vector<record_type> answers;
  ends.session->start({.on_record = [&](const raw_record& record) {
    if (record.type == record_type::hello) {
      ends.session->send(record_type::hello, own_hello());
      return;
    }
    in_order = in_order && record.body == piece(heard++);
    if (heard % 16 == 0) {  // as a slow disk does
      ends.session->pause();
      ends.loop.post([&] { ends.session->resume(); });
    }
    if (heard == records) {
      ends.session->send(record_type::go_result, byte_buffer(3_MiB));
      ends.session->finish([] {});
    }
  }});
  const auto send_more = [&] {
    while (sent < records && ends.source().queued() < 1_MiB) {
      ends.source().send(record_type::stream_piece, piece(sent++));
    }
  };
  std::optional<error> closed;
  ends.source().start(
      {.on_record =
           [&](const raw_record& record) { answers.push_back(record.type); },
       .on_closed = [&](const error& cause) { closed = cause; },
       .on_drained = send_more});
  ends.source().send(record_type::hello, own_hello());
  ends.loop.run();
  CHECK(in_order);
  CHECK(heard == records);
  CHECK(answers ==
        std::vector<record_type>{record_type::hello, record_type::go_result});
  CHECK(ends.session->counters().received > records * 100'000);
}

TEST_CASE("a record that is none is refused before a session hears it",
          "[relay]") {
  const paired_hosts hosts;
  relayed ends(hosts);
  std::vector<record_type> heard;
  std::string said;
  std::optional<error> lost;
  ends.session->start(
      {.on_record =
           [&](const raw_record& record) { heard.push_back(record.type); },
       .on_closed = [&](const error& cause) { lost = cause; }});
  ends.source().start({.on_record = [&](const raw_record& record) {
    if (record.type == record_type::fail) {
      said = failure_of_destination(record.body, "there").context;
    }
  }});
  ends.source().send(record_type::hello, own_hello());
  ends.source().send(record_type::offer, as_bytes(std::string(100'000, '[')));
  while (!ends.relay_over || !lost) {
    ends.loop.run();
  }
  CHECK(heard == std::vector<record_type>{record_type::hello});
  CHECK(said.find("nested") != std::string::npos);
  CHECK(lost->code == errc::peer_lost);
}

TEST_CASE("a session learns that its source is gone", "[relay]") {
  const paired_hosts hosts;
  relayed ends(hosts);
  std::optional<error> lost;
  std::vector<record_type> heard;
  ends.session->start(
      {.on_record =
           [&](const raw_record& record) { heard.push_back(record.type); },
       .on_closed =
           [&](const error& cause) {
             lost = cause;
             ends.loop.stop();
           }});
  ends.source().start({});
  ends.source().send(record_type::hello, own_hello());
  ends.source().send(record_type::prepare, {});
  ends.source().finish([] {});
  ends.loop.run();
  CHECK(heard ==
        std::vector<record_type>{record_type::hello, record_type::prepare});
  REQUIRE(lost);
  CHECK(lost->code == errc::peer_lost);
}

}  // namespace teleport
