// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/visit_records_test.cpp: what teleportd and the processes that have
// the network tell each other is checked where it is read.

#include "libteleport/net/visit_records.hpp"

#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

#include "libteleport/base/packet.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

TEST_CASE("packets bring bytes and descriptors, and end with the other end",
          "[visits]") {
  auto ends = connected_sockets(SOCK_SEQPACKET);
  REQUIRE(ends);
  REQUIRE(send_packet(ends->one.get(), "two", {0, 1}));
  REQUIRE(send_packet(ends->one.get(), "too long for its reader", {0}));
  ends->one.reset();
  const auto first = receive_packet(ends->other.get(), 8);
  REQUIRE(first);
  CHECK(first->bytes == "two");
  REQUIRE(first->descriptors.size() == 2);
  CHECK((::fcntl(first->descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  const auto second = receive_packet(ends->other.get(), 8);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::protocol);
  const auto third = receive_packet(ends->other.get(), 8);
  REQUIRE_FALSE(third);
  CHECK(third.error().code == errc::peer_lost);
}

TEST_CASE("who listens is told the networks that are let in", "[visits]") {
  network_list from;
  REQUIRE(from.add("10.0.0.0/8"));
  REQUIRE(from.add("fd00::/8"));
  const auto told = decode_listen_order(encode_listen_order(from));
  REQUIRE(told);
  CHECK(told->texts() == from.texts());
  const auto all = decode_listen_order(encode_listen_order({}));
  REQUIRE(all);
  CHECK(all->contains("192.0.2.1"));
  CHECK_FALSE(decode_listen_order(""));
  CHECK_FALSE(decode_listen_order(encode_listen_order(from) + "x"));
}

TEST_CASE("an address is one, whoever says it", "[visits]") {
  CHECK(decode_visit(encode_visit("2001:db8::1")).value() == "2001:db8::1");
  CHECK_FALSE(decode_visit(""));
  CHECK_FALSE(decode_visit("10.0.0.1\nforged line of the log"));
  CHECK_FALSE(decode_visit(std::string(65, '1')));
}

TEST_CASE("a speaker says a key's digest or a sentence, and nothing else",
          "[visits]") {
  const std::string key(64, 'a');
  const auto known = decode_introduction(encode(introduction{true, key}));
  REQUIRE(known);
  CHECK(known->has_key);
  CHECK(known->text == key);
  CHECK_FALSE(decode_introduction("+../../etc/shadow"));
  CHECK_FALSE(decode_introduction("+" + std::string(64, 'A')));
  CHECK_FALSE(decode_introduction(""));
  CHECK_FALSE(decode_introduction("x"));
  const auto sentence = decode_introduction("!no \x1b[2Jhandshake");
  REQUIRE(sentence);
  CHECK(sentence->text.find('\x1b') == std::string::npos);
}

TEST_CASE("terms and verdicts are read as they were written", "[visits]") {
  const auto terms =
      decode_terms(encode(speaker_terms{{"key", "certificate"}, "bbr"}));
  REQUIRE(terms);
  CHECK(terms->own.key == "key");
  CHECK(terms->own.certificate == "certificate");
  CHECK(terms->congestion_control == "bbr");
  verdict said;
  said.what = verdict::kind::come_in;
  said.host = {std::string(64, 'b'), "host2"};
  said.keys = {std::string(64, 'b'), std::string(64, 'c')};
  const std::string bytes = encode(said);
  const auto heard = decode_verdict(bytes);
  REQUIRE(heard);
  CHECK(heard->what == verdict::kind::come_in);
  CHECK(heard->host.key == said.host.key);
  CHECK(heard->host.name == "host2");
  CHECK(heard->keys == said.keys);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_verdict(bytes.substr(0, size)));
  }
}

}  // namespace teleport
