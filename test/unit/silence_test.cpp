// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/silence_test.cpp: a peer that does not answer is lost, one that
// only has no room is not.

#include "libteleport/net/silence.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/socket_info.hpp"
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

TEST_CASE("what is no TCP socket owes nothing", "[silence]") {
  const peer_answers none = answers_of(-1);
  CHECK_FALSE(none.owed);
  CHECK_FALSE(none.held);
}
