// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/seed_test.cpp: the parts of a seed that need no other host: the
// order of its records, their bodies, and who finds what was seeded.

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "libteleport/disk/disk_book.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/names.hpp"
#include "test/support/catch.hpp"
#include "test/support/course_at.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/host_port.hpp"
#include "xl-teleport/source/seed_host.hpp"

namespace teleport {

namespace {

using state = seed_destination_state;
using action = seed_destination_course::action;

constexpr const char* web1_uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
constexpr const char* other_uuid = "0b7e1b1c-5d0f-4f53-9d5b-1f5f8a0e7c11";

kept_disk partial_of(const std::string& name, const std::string& uuid) {
  kept_disk disk;
  disk.guest = name;
  disk.uuid = uuid;
  disk.vdev = "xvda";
  disk.size = 1_MiB;
  disk.partial = "/store/" + name;
  return disk;
}

seed_offer some_seed() {
  seed_offer offered;
  offered.guest.name = "web1";
  offered.guest.uuid = web1_uuid;
  for (const char* vdev : {"xvda", "xvdb"}) {
    guest_disk disk;
    disk.vdev = vdev;
    disk.size = 1_MiB;
    disk.configured_path = "/dev/vg/secret";
    offered.guest.disks.push_back(disk);
  }
  return offered;
}

std::string replaced(std::string text,
                     const std::string& what,
                     const char* by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a seed takes each record in its own state and in no other",
          "[seed]") {
  for (const state at : seed_destination_states) {
    for (std::uint16_t number = 0; number < 64; ++number) {
      const auto type = static_cast<record_type>(number);
      const bool data = type == record_type::extents ||
                        type == record_type::block_digests ||
                        type == record_type::extent_data;
      const bool due =
          ((at == state::answered || at == state::offered) &&
           type == record_type::prepare) ||
          (at == state::disks && (data || type == record_type::disks_complete));
      auto course = seed_destination_at(at);
      REQUIRE(course.at() == at);
      const auto next = course.on_record(type, true);
      CAPTURE(name_of(at), number);
      CHECK(next.has_value() == due);
      if (!due) {
        CHECK(next.error().code == errc::protocol);
        CHECK(course.at() == at);
      }
    }
  }
}

TEST_CASE("a seed is not complete while an extent is not proven", "[seed]") {
  auto course = seed_destination_at(state::disks);
  CHECK_FALSE(course.on_record(record_type::disks_complete, false));
  CHECK(course.at() == state::disks);
  CHECK(course.on_record(record_type::disks_complete, true).value() ==
        action::keep);
}

TEST_CASE("a seed that is not welcome goes no further", "[seed]") {
  seed_destination_course course;
  CHECK(course.on_considered(false) == action::none);
  // Whoever waits for PREPARED hears why none comes.
  const auto prepared = course.on_record(record_type::prepare, false);
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().context.find("answered with problems") !=
        std::string::npos);
  CHECK_FALSE(course.on_record(record_type::extents, false));
}

TEST_CASE("PREPARE may come before it is known whether the seed is welcome",
          "[seed]") {
  const bool welcome = GENERATE(true, false);
  seed_destination_course course;
  CHECK(course.on_record(record_type::prepare, false).value() == action::none);
  CHECK(course.on_considered(welcome) ==
        (welcome ? action::prepare : action::none));
  CHECK(course.at() == (welcome ? state::preparing : state::over));
  CHECK_FALSE(course.on_record(record_type::prepare, false));
}

TEST_CASE("SEED says what the disks are and not where they lie", "[seed]") {
  const std::string text = to_json(some_seed());
  CHECK(text.find("secret") == std::string::npos);
  const auto read = read_seed_offer(text);
  REQUIRE(read);
  CHECK(read->guest.name == "web1");
  CHECK(read->guest.uuid == web1_uuid);
  REQUIRE(moved_disks(read->guest).size() == 2);
  CHECK(read->guest.disks[1].vdev == "xvdb");
  CHECK(read->guest.disks[1].size == 1_MiB);
}

TEST_CASE("SEED with anything out of range is refused", "[seed]") {
  const std::string good = to_json(some_seed());
  REQUIRE(read_seed_offer(good));
  CHECK_FALSE(read_seed_offer(replaced(good, "web1", "../web1")));
  CHECK_FALSE(read_seed_offer(replaced(good, "web1", "")));
  CHECK_FALSE(read_seed_offer(replaced(good, web1_uuid, "6f1c2f2e")));
  CHECK_FALSE(read_seed_offer(replaced(good, "xvdb", "xvda")));
  CHECK_FALSE(read_seed_offer(replaced(good, "xvdb", "../b")));
  CHECK_FALSE(read_seed_offer(replaced(good, "1048576", "1048577")));
  CHECK_FALSE(read_seed_offer(replaced(good, "1048576", "0")));
  CHECK_FALSE(read_seed_offer(replaced(good, "1048576", "-512")));
  CHECK_FALSE(read_seed_offer(replaced(good, "\"size\"", "\"sise\"")));
  seed_offer none = some_seed();
  none.guest.disks.clear();
  CHECK_FALSE(read_seed_offer(to_json(none)));
  seed_offer many = some_seed();
  while (many.guest.disks.size() <= max_disks) {
    guest_disk disk = many.guest.disks[0];
    disk.vdev = "xvd" + std::to_string(many.guest.disks.size());
    many.guest.disks.push_back(disk);
  }
  CHECK_FALSE(read_seed_offer(to_json(many)));
}

TEST_CASE("SEEDED comes back as it was sent", "[seed]") {
  seed_result sent;
  sent.disks = {{"xvda", "shadow", "/store/web1-xvda"}};
  sent.bulk.in_place = 5;
  sent.rounds.link = 7;
  const auto read = read_seed_result(to_json(sent));
  REQUIRE(read);
  REQUIRE(read->disks.size() == 1);
  CHECK(read->disks[0].target == "/store/web1-xvda");
  CHECK(read->bulk.in_place == 5);
  CHECK(read->rounds.link == 7);
  CHECK_FALSE(read_seed_result("{\"disks\": []}"));
}

TEST_CASE("a name's uuid is always the same, and looks like one", "[seed]") {
  // By PROTOCOL.md, section 7.1, with sha256sum.
  CHECK(uuid_of_name("web1") == "f105205f-00bc-89fe-88a6-52576e3f5afc");
  CHECK(uuid_of_name("web1") != uuid_of_name("web2"));
  CHECK(is_uuid(uuid_of_name("")));
}

TEST_CASE("what was seeded for a name is the guest's of that name",
          "[seed][disk_book]") {
  const temp_folder folder;
  auto book = disk_book::open(folder / "book");
  REQUIRE(book);
  REQUIRE(book->write(partial_of("web1", uuid_of_name("web1"))));
  REQUIRE(book->write(partial_of("web2", other_uuid)));
  const auto place = [&](kept_disk wanted) {
    const auto found = book->find_for(wanted);
    REQUIRE(found);
    return *found ? (*found)->partial : "";
  };
  CHECK(place(partial_of("web1", web1_uuid)) == "/store/web1");
  CHECK(place(partial_of("web1", uuid_of_name("web1"))) == "/store/web1");
  // The other way round: a seed for a name finds what the guest left.
  CHECK(place(partial_of("web2", uuid_of_name("web2"))) == "/store/web2");

  // But not the host that has nothing but a guess of the name.
  kept_disk theirs = partial_of("web2", other_uuid);
  theirs.peer = "their key";
  REQUIRE(book->write(theirs));
  CHECK(place(partial_of("web2", uuid_of_name("web2"))).empty());
  kept_disk asked = partial_of("web2", uuid_of_name("web2"));
  asked.peer = "another key";
  CHECK(place(asked).empty());
  asked.peer = theirs.peer;
  CHECK(place(asked) == "/store/web2");

  // Two guests of one name are two guests.
  CHECK(place(partial_of("web2", web1_uuid)).empty());
  kept_disk other = partial_of("web1", web1_uuid);
  other.vdev = "xvdb";
  CHECK(place(other).empty());
  other = partial_of("web1", web1_uuid);
  other.size = 2_MiB;
  CHECK(place(other).empty());

  // What is the guest's own by its uuid comes first.
  kept_disk own = partial_of("web1", web1_uuid);
  own.partial = "/store/own";
  REQUIRE(book->write(own));
  CHECK(place(partial_of("web1", web1_uuid)) == "/store/own");
}

TEST_CASE("an image is seeded for the guest that was named", "[seed]") {
  const temp_folder folder;
  const std::string image = folder / "debian.img";
  {
    std::FILE* file = std::fopen(image.c_str(), "wb");
    REQUIRE(file != nullptr);
    const std::string content(8192, 'x');
    CHECK(std::fwrite(content.data(), 1, content.size(), file) == 8192);
    std::fclose(file);
  }
  const auto plain = look_at_image(image, "");
  REQUIRE(plain);
  CHECK(plain->name == "debian");
  CHECK(plain->uuid == uuid_of_name("debian"));
  REQUIRE(plain->disks.size() == 1);
  CHECK(plain->disks[0].vdev == "xvda");
  CHECK(plain->disks[0].size == 8192);

  const auto named = look_at_image(image, "web1:xvdb");
  REQUIRE(named);
  CHECK(named->name == "web1");
  CHECK(named->disks[0].vdev == "xvdb");

  const auto exact = look_at_image(image, std::string(web1_uuid) + ":hda");
  REQUIRE(exact);
  CHECK(exact->uuid == web1_uuid);

  CHECK_FALSE(look_at_image(image, "web1:"));
  CHECK_FALSE(look_at_image(image, ":xvda"));
  CHECK_FALSE(look_at_image(image, "a/b"));
  CHECK_FALSE(look_at_image(folder / "none.img", ""));
}

TEST_CASE("a guest is called as its image is", "[seed]") {
  const temp_folder folder;
  const auto name_of = [&](const std::string& file) {
    std::ofstream(folder / file) << std::string(4096, 'x');
    const auto guest = look_at_image(folder / file, "");
    return guest ? guest->name : guest.error().context;
  };
  CHECK(name_of("web1.img") == "web1");
  CHECK(name_of("web1.example.org.raw") == "web1.example.org");
  // Nothing of this is an image's ending.
  CHECK(name_of("web1.example.org") == "web1.example.org");
}

TEST_CASE("an image that no guest could have as its disk is not seeded",
          "[seed]") {
  const temp_folder folder;
  for (const char* start : {"QFI\xfb", "KDMV", "conectix", "vhdxfile"}) {
    std::ofstream(folder / "web1.img") << start << std::string(4096, 'x');
    std::filesystem::resize_file(folder / "web1.img", 4096);
    const auto refused = look_at_image(folder / "web1.img", "");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::unsupported);
  }
}

TEST_CASE("a host is named with and without a port", "[seed]") {
  std::string host;
  std::uint16_t port = 8744;
  REQUIRE(split_host("host2", host, port));
  CHECK((host == "host2" && port == 8744));
  REQUIRE(split_host("host2:99", host, port));
  CHECK((host == "host2" && port == 99));
  REQUIRE(split_host("fe80::1", host, port));
  CHECK((host == "fe80::1" && port == 99));
  REQUIRE(split_host("[fe80::1]:7", host, port));
  CHECK((host == "fe80::1" && port == 7));
  CHECK_FALSE(split_host("", host, port));
  CHECK_FALSE(split_host("host2:x", host, port));
  CHECK_FALSE(split_host("host2:", host, port));
  CHECK_FALSE(split_host("root@host2", host, port));
  REQUIRE(split_host("fe80::", host, port));
  CHECK_FALSE(split_host("host2:0", host, port));
  CHECK_FALSE(split_host("host2:65536", host, port));
  CHECK_FALSE(split_host("[fe80::1", host, port));
}

}  // namespace teleport
