// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/connection_test.cpp: two connections over TLS on loopback, in one
// loop: what is said last arrives, and who is unknown is told so.

#include "libteleport/net/connection.hpp"

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

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_door.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

using namespace teleport;

namespace {

/// The keys of two hosts, and whom each knows.
class two_hosts {
 public:
  two_hosts() {
    REQUIRE(make_identity(source, "source"));
    REQUIRE(make_identity(destination, "destination"));
  }
  void pair_source() const {
    REQUIRE(pin_peer(source.peers, "127.0.0.1", pem_of(destination)));
  }
  void part_destination() const {
    REQUIRE(unpin_peer(destination.peers, "source"));
  }
  void pair_destination() const {
    REQUIRE(pin_peer(destination.peers, "source", pem_of(source)));
  }

 private:
  [[nodiscard]] key_files files(const std::string& name) const {
    const std::string base = folder_ / name;
    return {base + ".crt", base + ".key", base + ".peers"};
  }
  static std::string pem_of(const key_files& keys) {
    const auto text = read_small_file(keys.certificate, 64_KiB);
    REQUIRE(text);
    return *text;
  }
  temp_folder folder_;

 public:
  key_files source = files("source");
  key_files destination = files("destination");
};

/// Each knows the other.
class paired_hosts : public two_hosts {
 public:
  paired_hosts() {
    pair_source();
    pair_destination();
  }
};

/// A source and a destination with a door as teleportd's, by which further
/// connections come in.
class two_ends {
 public:
  using link = std::shared_ptr<connection>;

  explicit two_ends(const two_hosts& hosts, unsigned connections = 1)
      : hosts_(hosts) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    REQUIRE(::bind(door_.get(), address, length) == 0);
    REQUIRE(::listen(door_.get(), SOMAXCONN) == 0);
    REQUIRE(::getsockname(door_.get(), address, &length) == 0);
    port = ntohs(here.sin_port);
    accept_next();
    connection::connect(
        loop,
        {hosts.source, {"", connections}},
        "127.0.0.1",
        port,
        [this](result<link> ready) { on_ready(source, std::move(ready)); });
    loop.run();
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;
  two_ends(two_ends&&) = delete;
  two_ends& operator=(two_ends&&) = delete;
  ~two_ends() {
    ::shutdown(door_.get(), SHUT_RDWR);
    loop.join();
  }

  event_loop loop{1};
  std::uint16_t port = 0;
  std::optional<result<link>> source;
  std::optional<result<link>> destination;
  temp_folder run_path;

 private:
  void accept_next() {
    loop.work(
        [this] {
          unique_fd came(::accept(door_.get(), nullptr, nullptr));
          if (came) {
            const auto given = give_on_lane(came.get(), run_path.path());
            if (!given || *given) {
              came.reset();
            }
          }
          return came.release();
        },
        [this](int socket) {
          if (socket >= 0) {
            connection::accept(loop,
                               {hosts_.destination, {}},
                               unique_fd(socket),
                               [this](result<link> ready) {
                                 on_ready(destination, std::move(ready));
                               });
          }
          accept_next();
        });
  }
  void on_ready(std::optional<result<link>>& end, result<link> ready) {
    end = std::move(ready);
    if (source && destination) {
      loop.stop();
    }
  }

  const two_hosts& hosts_;
  unique_fd door_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

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

TEST_CASE("the last record arrives though much was left unread", "[net]") {
  const paired_hosts hosts;
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;

  std::vector<record_type> heard;
  source.start({[&](const raw_record& record) { heard.push_back(record.type); },
                nullptr,
                nullptr});
  destination.start({[&](const raw_record&) {
                       destination.pause();
                       destination.send(record_type::fail, {});
                       // Once it is done, the peer has all of it.
                       destination.finish([&] { ends.loop.stop(); });
                     },
                     nullptr,
                     nullptr});
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
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
  (**ends.source)->start({});
  (**ends.source)->send(record_type::go, {});
  (**ends.source)->finish([&] { ends.loop.stop(); });
  (**ends.destination)->close();
  ends.loop.run();  // returns: that is the test
  bool again = false;
  (**ends.source)->finish([&] {
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
  REQUIRE(*ends.source);
  REQUIRE_FALSE(*ends.destination);
  CHECK(ends.destination->error().code == errc::not_paired);
}

TEST_CASE("a destination that is not paired is not talked to", "[net]") {
  two_hosts hosts;
  hosts.pair_destination();
  two_ends ends(hosts);
  REQUIRE_FALSE(*ends.source);
  CHECK(ends.source->error().code == errc::not_paired);
}

TEST_CASE("records keep their order over several connections", "[net][lanes]") {
  const paired_hosts hosts;
  two_ends ends(hosts, 4);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts, 3);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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

TEST_CASE("nothing is delivered from inside resume()", "[net]") {
  const paired_hosts hosts;
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
  connection& destination = ***ends.destination;
  int heard = 0;
  int heard_inside = 0;
  destination.start({[&](const raw_record&) {
                       if (++heard > 1) {
                         ends.loop.stop();
                         return;
                       }
                       destination.pause();
                       ends.loop.post([&] {
                         destination.resume();
                         heard_inside = heard;
                       });
                     },
                     nullptr,
                     nullptr});
  (**ends.source)->start({});
  // Together, so that the second is here when the first is heard.
  (**ends.source)->send(record_type::go, {});
  (**ends.source)->send(record_type::go, {});
  ends.loop.run();
  CHECK(heard == 2);
  CHECK(heard_inside == 1);
}

TEST_CASE("a destination that lets in no lanes is no obstacle",
          "[net][lanes]") {
  const paired_hosts hosts;
  two_ends ends(hosts, 4);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts, 2);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts, 3);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts, 2);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;
  // With the right key, and the name of the link, which crosses it in the clear.
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
  two_ends ends(hosts, lanes);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
    const auto given = give_on_lane(ours.get(), run_path.path());
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
