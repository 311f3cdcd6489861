// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/silence_watch_test.cpp: a peer that does not answer is lost, one
// that only has no room is not.

#include "libteleport/net/silence_watch.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/socket_info.hpp"
#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"

using namespace teleport;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A watch that looks each second, as connections do.
struct looking {
  /// @return the second at which the peer is lost; -1: it never is, in `most`
  int until_lost(peer_answers answers, int most, milliseconds at_first = {}) {
    for (int second = 0; second <= most; ++second, ++now) {
      answers.since_last = at_first + seconds(second);
      if (watch.look(answers, silence_watch::time_point(seconds(now)))) {
        return second;
      }
    }
    return -1;
  }
  silence_watch watch;
  int now = 1000;
};

peer_answers owing() {
  peer_answers answers;
  answers.owed = true;
  return answers;
}

/// Two ends of a TCP connection on loopback, with buffers that are soon full.
struct two_sockets {
  two_sockets() {
    listening_socket listening;
    source = listening.connect();
    destination = listening.accept();
    REQUIRE(destination);
    const int bytes = 64 * 1024;
    for (const auto& [socket, option] :
         {std::pair(source.get(), SO_SNDBUF),
          std::pair(destination.get(), SO_RCVBUF)}) {
      REQUIRE(::setsockopt(socket, SOL_SOCKET, option, &bytes, sizeof bytes) ==
              0);
    }
  }
  unique_fd source;
  unique_fd destination;
};

}  // namespace

TEST_CASE("a peer that acknowledges nothing is lost after 10 s", "[silence]") {
  looking one;
  CHECK(one.until_lost(owing(), 100) == 10);
}

TEST_CASE("a peer is asked after 10 s once more before it is lost",
          "[silence]") {
  const auto limit = [](int retransmission, int round_trip) {
    peer_answers answers = owing();
    answers.retransmission = milliseconds(retransmission);
    answers.round_trip = milliseconds(round_trip);
    return silence_watch::limit_for(answers);
  };
  // Asked after 0.2, 0.6, 1.4, 3.0, 6.2 and 12.6 s.
  CHECK(limit(200, 1) == milliseconds(13'601));
  // A satellite: after 2, 6 and 14 s, and each answer comes 0.8 s later.
  CHECK(limit(2000, 800) == milliseconds(15'800));
  CHECK(limit(9999, 5000) == milliseconds(29'997 + 6000));
  // A time-out that is absurd is no reason to wait for minutes.
  CHECK(limit(120'000, 0) == silence_watch::closed_limit);
}

TEST_CASE("an outage of 10 s is outlived at every round trip", "[silence]") {
  for (const int round_trip : {1, 40, 200, 800, 2000}) {
    peer_answers answers = owing();
    answers.round_trip = milliseconds(round_trip);
    answers.retransmission = milliseconds(200 + 2 * round_trip);
    CAPTURE(round_trip);
    // The first question that reaches a peer which was away for 10 s.
    auto asked = milliseconds(0);
    for (auto wait = answers.retransmission; asked < seconds(10); wait *= 2) {
      asked += wait;
    }
    CHECK(silence_watch::limit_for(answers) > asked + answers.round_trip);
    CHECK(silence_watch::limit_for(answers) < seconds(30));
  }
}

TEST_CASE("a peer that answers now and then is not lost", "[silence]") {
  looking one;
  for (int answer = 0; answer < 5; ++answer) {
    CHECK(one.until_lost(owing(), 9) == -1);
  }
}

TEST_CASE("silence counts from when something is owed", "[silence]") {
  looking one;
  CHECK(one.until_lost({}, 300) == -1);
  CHECK(one.until_lost(owing(), 100, seconds(300)) == 10);
}

TEST_CASE("a peer without room has a minute", "[silence]") {
  peer_answers answers = owing();
  answers.has_room = false;
  SECTION("with something on its way") {
    looking one;
    CHECK(one.until_lost(answers, 100) == 60);
  }
  SECTION("with everything acknowledged and more waiting") {
    answers.owed = false;
    answers.held = true;
    looking one;
    CHECK(one.until_lost(answers, 100) == 60);
  }
}

TEST_CASE("who stood still itself listens before it judges", "[silence]") {
  looking one;
  CHECK(one.until_lost(owing(), 5) == -1);
  one.now += 40;
  CHECK(one.until_lost(owing(), 100, seconds(46)) == 10);
}

TEST_CASE("the kernel tells a peer without room from one that owes nothing",
          "[silence]") {
  const two_sockets ends;
  const peer_answers quiet = answers_of(ends.source.get());
  CHECK_FALSE(quiet.owed);
  CHECK_FALSE(quiet.held);
  CHECK(quiet.has_room);

  // Full, once all that the other end has room for was acknowledged: a state
  // that comes by itself, however long the kernel takes.
  std::vector<std::byte> piece(64_KiB);
  peer_answers full;
  while (!full.held || (full.owed && full.has_room)) {
    (void)::send(ends.source.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    full = answers_of(ends.source.get());
  }
  CHECK(full.held);
  CHECK((!full.owed || !full.has_room));

  while (
      ::recv(ends.destination.get(), piece.data(), piece.size(), MSG_DONTWAIT) >
          0 ||
      answers_of(ends.source.get()).held) {
  }
  CHECK(answers_of(ends.source.get()).has_room);
}

TEST_CASE("the kernel's word counts data that came as well as acknowledgements",
          "[silence]") {
  const two_sockets ends;
  std::vector<std::byte> piece(1_KiB);
  // The source hears nothing but data: it has sent nothing to acknowledge.
  REQUIRE(::send(ends.destination.get(), piece.data(), piece.size(), 0) ==
          static_cast<ssize_t>(piece.size()));
  REQUIRE(::recv(ends.source.get(), piece.data(), piece.size(), 0) > 0);
  const peer_answers heard = answers_of(ends.source.get());
  CHECK(heard.since_last < seconds(60));
  CHECK(heard.retransmission > milliseconds(0));
}

TEST_CASE("what is no TCP socket owes nothing", "[silence]") {
  const peer_answers none = answers_of(-1);
  CHECK_FALSE(none.owed);
  CHECK_FALSE(none.held);
}
