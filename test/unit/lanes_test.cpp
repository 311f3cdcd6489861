// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/lanes_test.cpp: several lanes of one connection: records keep their
// order, and who is not of the link does not get into it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "libteleport/net/connection.hpp"
#include "libteleport/net/lane_door.hpp"
#include "test/support/two_ends.hpp"

using namespace teleport;

namespace {

/// Says something on a lane and waits until the peer closes it.
class lane_teller : public lane_owner,
                    public std::enable_shared_from_this<lane_teller> {
 public:
  byte_buffer said;
  std::size_t heard = 0;

  void begin(std::shared_ptr<lane> one, std::function<void()> closed) {
    lane_ = std::move(one);
    closed_ = std::move(closed);
    lane_->start(weak_from_this());
    lane_->write(said);
    lane_->read();
  }
  [[nodiscard]] bool begun() const { return lane_ != nullptr; }

  void on_bytes(lane& from, byte_span bytes) override {
    heard += bytes.size();
    from.read();
  }
  void on_written(lane& /*by*/) override {}
  void on_lost(lane& /*which*/,
               const error& /*cause*/,
               bool /*cleanly*/) override {
    closed_();
  }

 private:
  std::shared_ptr<lane> lane_;
  std::function<void()> closed_;
};

/// A record's body that tells its place in the order.
byte_buffer numbered_body(std::uint64_t number) {
  byte_writer out;
  out.number(number);
  // From nothing to some slices.
  const byte_buffer rest(number * 7919 % 100'000, std::byte(number & 0xffU));
  out.bytes(rest);
  return std::move(out).take();
}

}  // namespace

TEST_CASE("records keep their order over several connections", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 4);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  constexpr std::uint64_t records = 600;

  std::uint64_t sent = 0;
  std::uint64_t heard = 0;
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
  destination.allow_lanes(ends.run_path.path());
  destination.start({[&](const raw_record& record) {
                       in_order =
                           in_order && record.body == numbered_body(heard++);
                       if (heard % 64 == 0) {  // as a slow disk does
                         destination.pause();
                         ends.loop.post([&] { destination.resume(); });
                       }
                     },
                     [&](const error& cause) {
                       closed = cause;
                       ends.loop.stop();
                     },
                     nullptr});
  source.start({nullptr, nullptr, send_more});
  source.widen();
  source.send(record_type::hello, numbered_body(sent++));
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
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  std::vector<record_type> heard;
  std::string closed;
  destination.allow_lanes(ends.run_path.path());
  destination.start({[&](const raw_record& record) {
                       if (record.type == record_type::go) {
                         destination.send(record_type::go_result,
                                          byte_buffer(3_MiB));
                         destination.finish([] {});
                       }
                     },
                     nullptr,
                     nullptr});
  source.start(
      {[&](const raw_record& record) { heard.push_back(record.type); },
       [&](const error& cause) {
         closed = cause.context;
         ends.loop.stop();
       },
       [&] {
         if (source.lanes() == 3 && source.queued() == 0 && heard.empty()) {
           source.send(record_type::go, {});
         } else if (source.queued() == 0) {
           ends.loop.post([&] { source.send(record_type::prepare, {}); });
         }
       }});
  source.widen();
  source.send(record_type::prepare, {});
  ends.loop.run();
  CAPTURE(closed);
  CHECK(heard == std::vector<record_type>{record_type::go_result});
}

TEST_CASE("a destination that lets in no lanes is no obstacle",
          "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 4);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  // A folder whose doors cannot be named.
  destination.allow_lanes("/" + std::string(200, 'x'));
  destination.start({[&](const raw_record& record) {
                       CHECK(record.type == record_type::go);
                       ends.loop.stop();
                     },
                     nullptr,
                     nullptr});
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
  (**ends.destination)
      ->start({nullptr,
               [&](const error& cause) {
                 closed = cause;
                 ends.loop.stop();
               },
               nullptr});
  (**ends.source)->start({});
  (**ends.source)->widen();
  ends.loop.run();
  REQUIRE(closed);
  CHECK(closed->code == errc::protocol);
}

TEST_CASE("who asks for lanes twice is refused", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  std::optional<error> closed;
  // Also where no door could be opened the first time.
  (**ends.destination)
      ->allow_lanes(GENERATE(true, false) ? ends.run_path.path()
                                          : "/dev/null/x");
  (**ends.destination)
      ->start({nullptr,
               [&](const error& cause) {
                 closed = cause;
                 ends.loop.stop();
               },
               nullptr});
  (**ends.source)->start({});
  (**ends.source)->send(record_type::ask_lanes, byte_buffer(48));
  (**ends.source)->send(record_type::ask_lanes, byte_buffer(48));
  ends.loop.run();
  REQUIRE(closed);
  CHECK(closed->code == errc::protocol);
}

TEST_CASE("a lane that is not let in costs the link nothing", "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 3);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  hosts.part_destination();  // unpaired since the link came to be
  std::uint64_t heard = 0;
  destination.allow_lanes(ends.run_path.path());
  destination.start({[&](const raw_record&) {
                       ++heard;
                       destination.send(record_type::go_result, {});
                     },
                     nullptr,
                     nullptr});
  // Until what was tried has failed for good, records go to and fro.
  source.start({[&](const raw_record&) {
                  if (heard < 200) {
                    source.send(record_type::go, byte_buffer(100'000));
                  } else {
                    ends.loop.stop();
                  }
                },
                [&](const error& cause) { FAIL(cause.context); },
                nullptr});
  source.widen();
  source.send(record_type::go, {});
  ends.loop.run();
  CHECK(source.lanes() == 1);
  CHECK(destination.lanes() == 1);
}

TEST_CASE("who does not know the secret does not get into a link",
          "[net][lanes]") {
  const paired_hosts hosts;
  linked_ends ends(hosts, 2);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  // With the right key, and the name of the link, which crosses it in the
  // clear.
  const auto stranger = std::make_shared<lane_teller>();
  stranger->said =
      frame(record_type::join, GENERATE(byte_buffer(32), byte_buffer()));
  const auto knock = [&] {
    lane_name name{};
    for (const auto& door :
         std::filesystem::directory_iterator(ends.run_path.path())) {
      const std::string hex = door.path().filename().string().substr(5);
      for (std::size_t i = 0; i < name.size(); ++i) {
        name.at(i) = std::byte(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
      }
    }
    lane::connect_beside(ends.loop,
                         {hosts.source, {}},
                         {boost::asio::ip::address_v4::loopback(), ends.port},
                         lane_preamble(name),
                         [&](const result<std::shared_ptr<lane>>& made) {
                           REQUIRE(made);
                           stranger->begin(*made, [&] { ends.loop.stop(); });
                         });
  };
  destination.allow_lanes(ends.run_path.path());
  destination.start({});
  source.start({nullptr, nullptr, [&] {
                  if (source.lanes() == 2 && !stranger->begun()) {
                    knock();
                  } else if (!stranger->begun()) {
                    ends.loop.post([&] { source.send(record_type::go, {}); });
                  }
                }});
  source.widen();
  source.send(record_type::go, {});
  ends.loop.run();
  CHECK(stranger->heard == 0);
  CHECK(destination.lanes() == 2);
}

TEST_CASE("a connection may go while it writes", "[net][lanes]") {
  const unsigned lanes = GENERATE(1U, 3U);
  const int last = GENERATE(1, 2, 3, 5, 8, 13);
  const paired_hosts hosts;
  linked_ends ends(hosts, lanes);
  connection& destination = ***ends.destination;
  const byte_buffer body(1_MiB);
  destination.allow_lanes(ends.run_path.path());
  destination.start(
      {[&](const raw_record&) { destination.send(record_type::go_result, {}); },
       [&](const error&) { ends.loop.stop(); },
       nullptr});
  int heard = 0;
  connection* const source = (*ends.source)->get();
  source->start({[&](const raw_record&) {
                   if (++heard == last) {
                     source->close();
                     ends.source.reset();  // the last that knew it
                   }
                 },
                 nullptr,
                 [&] {
                   while (source->queued() < 4_MiB) {
                     source->send(record_type::extent_data, body);
                   }
                 }});
  source->widen();
  source->send(record_type::extent_data, body);
  ends.loop.run();
  CHECK(heard == last);
}

TEST_CASE("a socket with another beginning is not given on", "[net][lanes]") {
  const temp_folder run_path;
  const auto told = [&run_path](std::string_view said) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
    const unique_fd ours(pair[0]);
    unique_fd theirs(pair[1]);
    REQUIRE(::send(theirs.get(), said.data(), said.size(), 0) ==
            static_cast<ssize_t>(said.size()));
    theirs.reset();
    const auto given = hand_over_to_link(ours.get(), run_path.path());
    std::array<char, 64> rest{};
    const ssize_t left = ::recv(ours.get(), rest.data(), rest.size(), 0);
    return std::pair(given, left);
  };
  const auto [tls, tls_left] = told("\x16\x03\x01 a handshake");
  REQUIRE(tls);
  CHECK_FALSE(*tls);
  CHECK(tls_left == 15);  // untouched
  const auto [cut, cut_left] = told("TPLANE01 short");
  REQUIRE(cut);
  CHECK_FALSE(*cut);
  CHECK(cut_left == 14);
  const auto [unknown, none] = told("TPLANE01" + std::string(16, 'n'));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == errc::not_found);
  const auto [silent, nothing] = told("");
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == errc::peer_lost);
}
