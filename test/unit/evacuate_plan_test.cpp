// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_plan_test.cpp: which guest goes where.

#include <algorithm>
#include <random>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "tools/evacuate/plan.hpp"

namespace teleport::evacuation {

namespace {

const std::vector<std::string> two_hosts = {"host2", "host3"};

candidate guest(const std::string& name, std::uint64_t memory_mib) {
  return {name, "uuid-" + name, 1, memory_mib * 1024, {}};
}

/// Free and needed memory in MiB, free and needed store in GiB.
probe fits(std::uint64_t free_memory,
           std::uint64_t memory,
           std::uint64_t free_store = 100,
           std::uint64_t store = 1) {
  probe one;
  one.room = host_room{
      free_memory * 1024, memory * 1024, free_store * 1_GiB, store * 1_GiB};
  return one;
}

probe stopped_by(const char* code, const char* sentence) {
  probe one;
  one.problems = {{code, sentence}};
  return one;
}

/// Where the guest with this number goes; -1: nowhere.
int host_of(const plan& made, std::size_t number) {
  for (const planned_move& move : made.moves) {
    if (move.guest == number) {
      return static_cast<int>(move.host);
    }
  }
  return -1;
}

}  // namespace

TEST_CASE("guests are spread over the hosts, the largest first", "[evacuate]") {
  const std::vector<candidate> guests = {
      guest("small", 256), guest("large", 1024), guest("middle", 512)};
  probes found;
  for (std::size_t host = 0; host < 2; ++host) {
    found[{0, host}] = fits(4096, 256);
    found[{1, host}] = fits(4096, 1024);
    found[{2, host}] = fits(4096, 512);
  }
  const plan made = make_plan(guests, two_hosts, found);
  CHECK(made.moves == std::vector<planned_move>{{1, 0}, {2, 1}, {0, 1}});
  CHECK(made.obstacles.empty());
}

TEST_CASE("the fuller of memory and store decides", "[evacuate]") {
  // host2 has memory but a small store, host3 the reverse.
  const std::vector<candidate> guests = {guest("a", 512)};
  probes found;
  found[{0, 0}] = fits(8192, 512, 10, 9);
  found[{0, 1}] = fits(1024, 512, 1000, 9);
  CHECK(host_of(make_plan(guests, two_hosts, found), 0) == 1);
}

TEST_CASE("a shadow, which needs no room, draws its guest", "[evacuate]") {
  const std::vector<candidate> guests = {guest("a", 128)};
  probes found;
  found[{0, 0}] = fits(4096, 128, 20, 10);
  found[{0, 1}] = fits(4096, 128, 20, 0);
  CHECK(host_of(make_plan(guests, two_hosts, found), 0) == 1);
}

TEST_CASE("where spreading leaves one out, guests are packed tightly",
          "[evacuate]") {
  // Spread, a and b leave 6 GiB in each store, and c needs 7.
  const std::vector<candidate> guests = {
      guest("a", 400), guest("b", 400), guest("c", 300)};
  probes found;
  for (std::size_t host = 0; host < 2; ++host) {
    found[{0, host}] = fits(1000, 400, 8, 2);
    found[{1, host}] = fits(1000, 400, 8, 2);
    found[{2, host}] = fits(1000, 150, 8, 7);
  }
  const plan made = make_plan(guests, two_hosts, found);
  CHECK(made.obstacles.empty());
  CHECK(made.moves.size() == 3);
}

TEST_CASE("guests that fit alone but not together are told", "[evacuate]") {
  const std::vector<candidate> guests = {guest("a", 600), guest("b", 700)};
  probes found;
  found[{0, 0}] = fits(1000, 600);
  found[{1, 0}] = fits(1000, 700);
  const plan made = make_plan(guests, {"host2"}, found);
  CHECK(host_of(made, 1) == 0);
  CHECK(host_of(made, 0) == -1);
  REQUIRE(made.obstacles.size() == 1);
  CHECK(made.obstacles[0].guest == 0U);
  CHECK(made.obstacles[0].what.code == "no_room");
  CHECK_THAT(made.obstacles[0].what.sentence,
             test::contains_text("a needs 600 MiB of memory and 1024 MiB"));
}

TEST_CASE("every problem is told at once, and each once", "[evacuate]") {
  const std::vector<candidate> guests = {
      guest("pv", 100), guest("fine", 100), guest("clash", 100)};
  probes found;
  const problem lost{"peer_lost", "host3 does not answer"};
  found[{0, 0}] = stopped_by("pv_live", "it is PV");
  found[{0, 1}] = stopped_by("pv_live", "it is PV");
  found[{0, 1}].problems.push_back(lost);
  found[{1, 0}] = fits(4096, 100);
  found[{1, 1}] = stopped_by("peer_lost", "host3 does not answer, again");
  found[{2, 0}] = stopped_by("name_clash", "host2: it is there");
  found[{2, 0}].problems.push_back({"bridge", "host2: no bridge"});
  const plan made = make_plan(guests, two_hosts, found);
  CHECK(made.moves == std::vector<planned_move>{{1, 0}});
  std::vector<std::string> told;
  for (const obstacle& one : made.obstacles) {
    told.push_back(
        (one.guest ? guests[*one.guest].name : two_hosts[*one.host]) + " " +
        one.what.code);
  }
  std::ranges::sort(told);
  CHECK(told == std::vector<std::string>{"clash bridge",
                                         "clash name_clash",
                                         "host3 peer_lost",
                                         "pv pv_live"});
}

TEST_CASE("a problem at one host is none when another takes the guest",
          "[evacuate]") {
  probes found;
  found[{0, 0}] = stopped_by("bridge", "host2: no bridge");
  found[{0, 1}] = fits(4096, 100);
  const plan made = make_plan({guest("a", 100)}, two_hosts, found);
  CHECK(host_of(made, 0) == 1);
  CHECK(made.obstacles.empty());
}

TEST_CASE("a name that is another guest's now is not moved", "[evacuate]") {
  probes found;
  found[{0, 0}] = fits(4096, 100);
  found[{0, 0}].uuid = "uuid-of-another";
  const plan made = make_plan({guest("a", 100)}, {"host2"}, found);
  CHECK(made.moves.empty());
  REQUIRE(made.obstacles.size() == 1);
  CHECK(made.obstacles[0].what.code == "other_guest");
}

TEST_CASE("of guests elsewhere a lost host is each guest's own", "[evacuate]") {
  auto first = guest("a", 0);
  auto second = guest("b", 0);
  first.at = "host2";
  second.at = "host3";
  probes found;
  found[{0, 0}] = stopped_by("peer_lost", "host1 does not answer");
  found[{1, 0}] = fits(4096, 100);
  const plan made = make_plan({first, second}, {"host1"}, found);
  CHECK(made.moves == std::vector<planned_move>{{1, 0}});
  REQUIRE(made.obstacles.size() == 1);
  CHECK(made.obstacles[0].guest == 0U);
}

TEST_CASE("no plan overfills a host, and each guest is placed or told",
          "[evacuate]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::size_t hosts = 1 + random() % 4;
    const std::size_t count = random() % 15;
    std::vector<std::uint64_t> memory(hosts);
    std::vector<std::uint64_t> store(hosts);
    for (std::size_t host = 0; host < hosts; ++host) {
      memory[host] = random() % 4096;
      store[host] = random() % 64;
    }
    std::vector<candidate> guests;
    probes found;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t need = random() % 1024;
      guests.push_back(guest("g" + std::to_string(i), need));
      for (std::size_t host = 0; host < hosts; ++host) {
        const std::uint64_t disk = random() % 16;
        auto one = fits(memory[host], need, store[host], disk);
        if (need > memory[host] || disk > store[host]) {
          one.problems = {{"memory", "too small"}};
        }
        found[{i, host}] = one;
      }
    }
    const std::vector<std::string> names(hosts, "host");
    const plan made = make_plan(guests, names, found);
    std::vector<std::uint64_t> used(hosts);
    std::vector<std::uint64_t> filled(hosts);
    std::vector<unsigned> named(count);
    for (const planned_move& move : made.moves) {
      const auto& room = *found.at({move.guest, move.host}).room;
      CHECK(found.at({move.guest, move.host}).problems.empty());
      used[move.host] += room.needed_memory_kib;
      filled[move.host] += room.needed_store_bytes;
      ++named[move.guest];
    }
    for (std::size_t host = 0; host < hosts; ++host) {
      CHECK(used[host] <= memory[host] * 1024);
      CHECK(filled[host] <= store[host] * 1_GiB);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const bool told = std::ranges::any_of(
          made.obstacles, [&](const obstacle& one) { return one.guest == i; });
      CHECK(named[i] + (told ? 1U : 0U) == 1);
    }
  }
}

}  // namespace teleport::evacuation
