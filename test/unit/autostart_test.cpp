// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/autostart_test.cpp: which configuration starts a guest at boot, and
// how it is kept from doing so.

#include "xl-teleport/source/autostart.hpp"

#include <filesystem>
#include <fstream>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

const guest_name web1{"web1", "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11"};
const guest_name web10{"web10", "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a12"};

}  // namespace

TEST_CASE("a guest's autostart is hidden and shown again, no other's",
          "[autostart]") {
  const temp_folder folder;
  const std::string own = folder.path() + "/web1.cfg";
  const std::string other = folder.path() + "/web10.cfg";
  std::ofstream(own) << "name = 'web1'\n";
  std::ofstream(other) << "name = 'web10'\n";
  CHECK(autostart_of(web1, folder.path()) == own);
  const auto hidden = hide_autostart(web1, folder.path());
  REQUIRE(hidden);
  REQUIRE(*hidden);
  CHECK(std::filesystem::path(**hidden).filename().string().front() == '.');
  CHECK(autostart_of(web1, folder.path()) == std::nullopt);
  CHECK(autostart_of(web10, folder.path()) == other);
  CHECK(show_autostart(web1, folder.path()));
  CHECK(autostart_of(web1, folder.path()) == own);
  CHECK_FALSE(std::filesystem::exists(**hidden));
}

TEST_CASE("a hidden name that is taken is told before", "[autostart]") {
  const temp_folder folder;
  std::ofstream(folder / "web1.cfg") << "name = 'web1'\n";
  CHECK(check_hidable(web1, folder.path()));
  std::ofstream(folder / ".teleport-web1.cfg") << "another's\n";
  CHECK(check_hidable(web1, folder.path()).error().code == errc::busy);
  CHECK_FALSE(hide_autostart(web1, folder.path()));
  CHECK(check_hidable(web10, folder.path()));
}

TEST_CASE("another guest of the name is not hidden", "[autostart]") {
  const temp_folder folder;
  const std::string other = folder.path() + "/web1.cfg";
  std::ofstream(other) << "name = 'web1'\nuuid = '" << web10.uuid << "'\n";
  const auto hidden = hide_autostart(web1, folder.path());
  REQUIRE(hidden);
  CHECK(*hidden == std::nullopt);
  CHECK(std::filesystem::exists(other));
}

TEST_CASE("a guest without an autostart has nothing to hide", "[autostart]") {
  const temp_folder folder;
  const auto hidden = hide_autostart(web1, folder.path());
  REQUIRE(hidden);
  CHECK(*hidden == std::nullopt);
  CHECK(show_autostart(web1, folder.path() + "/none"));
}

}  // namespace teleport
