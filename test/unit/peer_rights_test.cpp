// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/peer_rights_test.cpp: what a paired host may do.

#include "xl-teleport/setup/peer_rights.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <sys/stat.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/peer_pairing.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {
namespace {

constexpr auto every_deed = {peer_deed::teleport_here,
                             peer_deed::seed_here,
                             peer_deed::teleport_there,
                             peer_deed::seed_there};
const std::string uuid = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11";

guest_info called(const std::string& name, const std::string& its_uuid = uuid) {
  guest_info guest;
  guest.name = name;
  guest.uuid = its_uuid;
  return guest;
}

peer_rights limited_to(const std::string& text) {
  const auto limits = read_peer_limits(text, "host3.conf");
  REQUIRE(limits);
  return {"host3", "host3.conf", *limits};
}

bool has(const result<void>& refused, const std::string& words) {
  return !refused && refused.error().code == errc::refused &&
         refused.error().context.find(words) != std::string::npos;
}

/// This host's folder of peers, with the keys of two other hosts.
class some_peers {
 public:
  some_peers() {
    for (const char* name : {"host2", "host3"}) {
      const std::string at = folder_ / name;
      const key_files files{at + ".pem", at + ".key", ""};
      REQUIRE(make_identity(files, name));
      pems_[name] = *read_small_file(files.certificate, 64_KiB);
      pair(name, name);
    }
  }
  [[nodiscard]] std::string path() const { return folder_ / "peers"; }
  void pair(const std::string& host, const std::string& name) {
    REQUIRE(add_peer(path(), name, pems_[host], false));
  }
  [[nodiscard]] peer_rights of(const std::string& host) {
    return rights_of_peer(path(), *fingerprint_of(pems_[host]));
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(path() + "/" + file) << text;
    REQUIRE(::chmod((path() + "/" + file).c_str(), 0600) == 0);
  }

 private:
  temp_folder folder_;
  std::map<std::string, std::string> pems_;
};

}  // namespace

TEST_CASE("a host of ours may do all", "[peers]") {
  const peer_rights ours;
  CHECK_FALSE(ours.is_limited());
  for (const peer_deed deed : every_deed) {
    CHECK(ours.check(deed, called("web1")));
  }
  CHECK(ours.most_sessions() > 1000000);
}

TEST_CASE("a limited host may do what is named, and nothing else", "[peers]") {
  const peer_deed named = GENERATE(values(every_deed));
  const peer_rights rights = limited_to(
      "may = [\"" + std::string(name_of(named)) + "\"]\nguests = [\"web*\"]");
  for (const peer_deed deed : every_deed) {
    CHECK(rights.check(deed, called("web1")).has_value() == (deed == named));
  }
  const peer_deed other = named == peer_deed::seed_here
                              ? peer_deed::teleport_here
                              : peer_deed::seed_here;
  const auto refused = rights.check(other, called("web1"));
  CHECK(has(
      refused,
      "\"" + std::string(name_of(other)) + "\" is not in 'may' of host3.conf"));
  CHECK(rights.most_sessions() == 1);
}

TEST_CASE("a limited host may touch the guests that are named", "[peers]") {
  const peer_rights rights = limited_to(
      "may = [\"teleport-here\"]\n"
      "guests = [\"web*\", \"db?\", \"2C7D4D4E-5F5C-4D0A-9D0E-3F6C3F0F7A11\"]");
  const auto check = [&](const guest_info& guest) {
    return rights.check(peer_deed::teleport_here, guest);
  };
  const std::string other = "11111111-1111-4111-8111-111111111111";
  CHECK(check(called("web", other)));
  CHECK(check(called("web/1", other)));
  CHECK(check(called("db1", other)));
  CHECK(check(called("anything", uuid)));
  CHECK(has(check(called("aweb", other)), "host3 may not teleport to this"));
  CHECK(has(check(called("db", other)),
            "neither its name nor its uuid " + other + " is in 'guests'"));
  CHECK_FALSE(check(called("db12", other)));
  CHECK_FALSE(check(called("Web1", other)));
  // A guest that is called as another's uuid is not that one.
  CHECK_FALSE(check(called(uuid, other)));
  CHECK_FALSE(check(called("", other)));
}

TEST_CASE("what a limited host's file leaves out is nothing", "[peers]") {
  const auto limits = read_peer_limits("", "host3.conf");
  REQUIRE(limits);
  CHECK(*limits == peer_limits());
  CHECK(limits->store_limit == 0);
  const peer_rights none = limited_to("may = [\"seed-here\"]");
  CHECK_FALSE(none.check(peer_deed::seed_here, called("web1")));
}

TEST_CASE("a wrong file of limits is told by its line", "[peers]") {
  const auto text = GENERATE(as<std::string>(),
                             "\nmay = \"seed-here\"",
                             "\nmay = [\"seed\"]",
                             "\nmay = [1]",
                             "\nguests = [\"\"]",
                             "\nguests = 1",
                             "\nstore_limit = 200",
                             "\nstore_limit = \"many\"",
                             "\nsessions = 0",
                             "\nsessions = \"2\"",
                             "\nguest = [\"web1\"]",
                             "\n[guests]",
                             "\nmay = [");
  CAPTURE(text);
  const auto limits = read_peer_limits(text, "host3.conf");
  REQUIRE_FALSE(limits);
  CHECK(limits.error().code == errc::bad_input);
  CHECK(limits.error().context.starts_with("host3.conf line 2: "));
}

TEST_CASE("limits are read as they were written", "[peers]") {
  peer_limits limits;
  CHECK(*read_peer_limits(peer_limits_text(limits), "") == limits);
  limits.may = every_deed;
  limits.guests = {"web*", "a \"b\" \\ 'c'", uuid};
  limits.store_limit = 200_GiB;
  limits.sessions = 3;
  CHECK(*read_peer_limits(peer_limits_text(limits), "") == limits);
}

TEST_CASE("the file beside a host's key limits it, under all its names",
          "[peers]") {
  some_peers peers;
  CHECK_FALSE(peers.of("host2").is_limited());
  peer_limits limits;
  limits.may = {peer_deed::seed_here};
  limits.guests = {"*"};
  const auto path = write_peer_limits(peers.path(), "host3", limits);
  REQUIRE(path);
  CHECK(*path == peers.path() + "/host3.conf");
  CHECK((std::filesystem::status(*path).permissions() &
         std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read |
         std::filesystem::perms::owner_write));
  CHECK(peers.of("host3").limits() == limits);
  CHECK_FALSE(peers.of("host2").is_limited());
  peers.pair("host3", "10.0.0.3");
  CHECK(peers.of("host3").limits() == limits);
  // Equal ones are one; where they differ none counts.
  REQUIRE(write_peer_limits(peers.path(), "10.0.0.3", limits));
  CHECK(peers.of("host3").fault().empty());
  limits.sessions = 2;
  REQUIRE(write_peer_limits(peers.path(), "10.0.0.3", limits));
  const peer_rights differ = peers.of("host3");
  CHECK(has(differ.check(peer_deed::seed_here, called("web1")), "differ"));
  // Letters' case does not set a host free.
  peers.write("HOST2.conf", "");
  CHECK(peers.of("host2").is_limited());
}

TEST_CASE("a file of limits that cannot be read lets its host do nothing",
          "[peers]") {
  some_peers peers;
  const std::string path = peers.path() + "/host3.conf";
  SECTION("wrong") {
    peers.write("host3.conf", "may = [");
  }
  SECTION("a folder") {
    std::filesystem::create_directory(path);
  }
  SECTION("a link to nowhere") {
    std::filesystem::create_symlink("nowhere", path);
  }
  SECTION("others may write it") {
    peers.write("host3.conf", "may = [\"seed-here\"]\nguests = [\"*\"]");
    REQUIRE(::chmod(path.c_str(), 0620) == 0);
  }
  SECTION("too long") {
    peers.write("host3.conf", std::string(65_KiB, '\n'));
  }
  const peer_rights rights = peers.of("host3");
  for (const peer_deed deed : every_deed) {
    const auto refused = rights.check(deed, called("web1"));
    CHECK(has(refused, "host3 may do nothing: "));
    CHECK(has(refused, path));
  }
  CHECK_FALSE(peers.of("host2").is_limited());
  // A host that is not paired has no rights either.
  REQUIRE(remove_peer(peers.path(), "host2"));
  CHECK(has(peers.of("host2").check(peer_deed::seed_here, called("web1")),
            "not paired"));
}

TEST_CASE("who is paired again after unpair is not limited by an old file",
          "[peers]") {
  some_peers peers;
  peers.pair("host3", "other");
  REQUIRE(write_peer_limits(peers.path(), "host3", {}));
  REQUIRE(write_peer_limits(peers.path(), "other", {}));
  REQUIRE(remove_peer(peers.path(), "other"));
  CHECK(files_in(peers.path(), ".conf")->empty());
  peers.pair("host3", "host3");
  CHECK_FALSE(peers.of("host3").is_limited());
}

TEST_CASE("a limited name that is paired with another key stays limited",
          "[peers]") {
  some_peers peers;
  REQUIRE(write_peer_limits(peers.path(), "host3", {}));
  REQUIRE(remove_peer(peers.path(), "host2"));
  const std::string key = peers.path() + "/../host2.pem";
  REQUIRE(add_peer(peers.path(), "HOST3", *read_small_file(key, 64_KiB), true));
  CHECK(peers.of("host2").is_limited());
}

}  // namespace teleport
