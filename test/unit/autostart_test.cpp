// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/autostart_test.cpp: which configuration starts a guest at boot, and
// how it is kept from doing so.

#include "xl-teleport/source/autostart.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("a guest's name is read from xl's configuration", "[autostart]") {
  CHECK(guest_name_in("name = \"web1\"\n") == "web1");
  CHECK(guest_name_in("# name = 'no'\nmemory=4\n name='web1' # it\r\n") ==
        "web1");
  CHECK(guest_name_in("nametag = 'no'\nname=\"web 1\"") == "web 1");
  CHECK(guest_name_in("name = web1\n") == "");
  CHECK(guest_name_in("name = \"web1\n") == "");
  CHECK(guest_name_in("name") == "");
  CHECK(guest_name_in("") == "");
}

TEST_CASE("a guest's autostart is hidden and shown again, no other's",
          "[autostart]") {
  const temp_folder folder;
  const std::string own = folder.path() + "/web1.cfg";
  const std::string other = folder.path() + "/web10.cfg";
  std::ofstream(own) << "name = 'web1'\n";
  std::ofstream(other) << "name = 'web10'\n";
  CHECK(autostart_of("web1", folder.path()) == own);
  const auto hidden = hide_autostart("web1", folder.path());
  REQUIRE(hidden);
  REQUIRE(*hidden);
  CHECK(std::filesystem::path(**hidden).filename().string().front() == '.');
  CHECK(autostart_of("web1", folder.path()) == std::nullopt);
  CHECK(autostart_of("web10", folder.path()) == other);
  CHECK(show_autostart("web1", folder.path()));
  CHECK(autostart_of("web1", folder.path()) == own);
  CHECK_FALSE(std::filesystem::exists(**hidden));
}

TEST_CASE("a guest without an autostart has nothing to hide", "[autostart]") {
  const temp_folder folder;
  const auto hidden = hide_autostart("web1", folder.path());
  REQUIRE(hidden);
  CHECK(*hidden == std::nullopt);
  CHECK(show_autostart("web1", folder.path() + "/none"));
}

}  // namespace teleport
