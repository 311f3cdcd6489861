// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/kept_standing_test.cpp: whose a kept disk is, and what the journal
// says of an arrival.

#include "xl-teleport/setup/kept_standing.hpp"

#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "xl-teleport/destination/built_guest.hpp"
#include "xl-teleport/setup/arrival.hpp"

namespace teleport {

namespace {

constexpr const char* web1 = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
constexpr const char* db1 = "11111111-1111-4111-8111-111111111111";

kept_disk partial_of(const std::string& uuid) {
  kept_disk disk;
  disk.guest = "web1";
  disk.uuid = uuid;
  disk.vdev = "xvda";
  disk.size = 512;
  disk.partial = "/store/web1-xvda";
  return disk;
}

kept_disk shadow_of(const std::string& uuid) {
  kept_disk disk = partial_of(uuid);
  disk.partial.clear();
  disk.shadow = disk_place{disk_kind::file,
                           "/dev/loop3",
                           "/srv/web1.img",
                           "/srv/web1.img.teleport-shadow"};
  return disk;
}

guest_seen domain(const std::string& uuid,
                  guest_state state,
                  const std::string& name = "web1") {
  return {7, name, state, uuid, 0};
}

std::vector<unfinished_arrival> arrived(journal_state state,
                                        const kept_disk& disk) {
  return {{state, {"web1", disk.uuid, "boot", {disk}}}};
}

}  // namespace

TEST_CASE("what nobody has is kept", "[kept]") {
  const auto disk = GENERATE(partial_of(web1), shadow_of(web1));
  CHECK(standing_of(disk, {}, {}) == kept_standing::kept);
  for (const auto state : {journal_state::building,
                           journal_state::ready,
                           journal_state::abandoned}) {
    CHECK(standing_of(disk, arrived(state, disk), {}) == kept_standing::kept);
  }
}

TEST_CASE("a disk from which its guest runs is not kept, whatever is written",
          "[kept]") {
  const auto disk = GENERATE(partial_of(web1), shadow_of(web1));
  const std::vector<guest_seen> running{domain(web1, guest_state::running)};
  CHECK(standing_of(disk, {}, running) == kept_standing::of_guest);
  CHECK(standing_of(disk, arrived(journal_state::go, disk), running) ==
        kept_standing::of_guest);
  // Shut down since, before anybody has looked.
  CHECK(standing_of(disk, arrived(journal_state::running, disk), {}) ==
        kept_standing::of_guest);
}

TEST_CASE("after GO without an outcome a disk is nobody's to use", "[kept]") {
  const auto disk = partial_of(web1);
  const auto go = arrived(journal_state::go, disk);
  CHECK(standing_of(disk, go, {}) == kept_standing::unsettled);
  CHECK(standing_of(disk, go, {domain(web1, guest_state::paused)}) ==
        kept_standing::unsettled);
  // Of another visit: another place.
  CHECK(standing_of(shadow_of(web1), go, {}) == kept_standing::kept);
  CHECK(standing_of(partial_of(db1), go, {}) == kept_standing::kept);
}

TEST_CASE("a disk that another has open is in use", "[kept]") {
  const auto disk = shadow_of(web1);
  CHECK(standing_of(disk, {}, {domain(db1, guest_state::running, "db1")}) ==
        kept_standing::in_use);
  CHECK(standing_of(
            disk, {}, {domain(web1, guest_state::paused, "web1--incoming")}) ==
        kept_standing::in_use);
}

TEST_CASE("an arrival is the same after the journal", "[kept]") {
  const arrival plan{
      "web1", web1, "a-boot", {partial_of(web1), shadow_of(web1)}};
  const auto read = read_arrival(arrival_text(plan));
  REQUIRE(read);
  CHECK(read->guest == "web1");
  CHECK(read->uuid == web1);
  CHECK(read->boot == "a-boot");
  REQUIRE(read->disks.size() == 2);
  CHECK(read->disks[0].partial == "/store/web1-xvda");
  REQUIRE(read->disks[1].shadow);
  CHECK(read->disks[1].shadow->backing == "/srv/web1.img");
  for (const char* damaged :
       {"", "{}", R"({"guest":"a","uuid":"b","boot":"c","disks":[7]})"}) {
    CHECK_FALSE(read_arrival(damaged));
  }
}

TEST_CASE("what xl has built is told by the name that it has before it runs",
          "[kept]") {
  const std::vector<guest_seen> all{
      domain(web1, guest_state::paused, "web1--incoming"),
      domain(web1, guest_state::dying, "web1--incoming"),
      domain(web1, guest_state::running, "web1--incoming"),
      domain(web1, guest_state::suspended),
      domain(web1, guest_state::paused),
  };
  const auto found = not_yet_run(all, "web1");
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "web1--incoming");
  CHECK(not_yet_run(all, "web").empty());
}

}  // namespace teleport
