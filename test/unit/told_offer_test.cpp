// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/told_offer_test.cpp: what an OFFER says of its source.

#include "xl-teleport/source/told_offer.hpp"

#include <string>

#include "test/support/catch.hpp"

namespace teleport {
namespace {

source_view view_of_web() {
  source_view view;
  view.guest.name = "web1";
  view.guest.config_json =
      R"({"vfbs":[{"vnc":{"passwd":"secret"}}],"on_reboot":"restart"})";
  view.host.guest_names = {"web1", "db1"};
  view.host.guest_uuids = {"u1", "u2"};
  view.host.xen_version = "4.17";
  view.start = start_file{"vncpasswd = 'secret'", true};
  return view;
}

}  // namespace

TEST_CASE("an offer tells of no other guest, and no password", "[source]") {
  const offer told = told_offer("1", view_of_web(), true, false);
  CHECK(told.id == "1");
  CHECK(told.guest.name == "web1");
  CHECK(told.source.xen_version == "4.17");
  CHECK(told.source.guest_names.empty());
  CHECK(told.source.guest_uuids.empty());
  CHECK(told.guest.config_json.find("secret") == std::string::npos);
  CHECK(told.guest.config_json.find("restart") != std::string::npos);
  REQUIRE(told.start);
  CHECK(told.start->autostart);
}

TEST_CASE("a dry run does not tell how the guest is started", "[source]") {
  CHECK_FALSE(told_offer("1", view_of_web(), false, true).start);
}

}  // namespace teleport
