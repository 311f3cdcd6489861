// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/told_failure_test.cpp: what another host is told of a failure.

#include "libteleport/session/told_failure.hpp"

#include <string>

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("a failure's sentence for another host names no path of this one",
          "[session]") {
  CHECK(without_paths("/dev/loop6") == "(a path)");
  CHECK(without_paths("write /dev/loop6 at 4096: Input/output error") ==
        "write (a path) at 4096: Input/output error");
  CHECK(without_paths("'/srv/a b' and (/etc/x): /y: no") ==
        "'(a path) b' and ((a path)): (a path): no");
  CHECK(without_paths("disk xvda=/dev/vg0/web, path:/z") ==
        "disk xvda=(a path), path:(a path)");
  CHECK(without_paths("12 KiB/s of 1/2") == "12 KiB/s of 1/2");
  CHECK(without_paths("") == "");
}

TEST_CASE("of a failure of this host another one is told the kind alone",
          "[session]") {
  for (const errc code : {errc::system,
                          errc::corrupt,
                          errc::not_found,
                          errc::bad_input,
                          errc::no_space,
                          errc::busy,
                          errc::uncertain}) {
    const std::string told =
        told_of({code, "lvcreate -n web vg0: /dev/vg0/web exists, loop6, vg0"});
    CAPTURE(told);
    CHECK(told.find("vg0") == std::string::npos);
    CHECK(told.find("lvcreate") == std::string::npos);
    CHECK(told.find('/') == std::string::npos);
  }
  CHECK(told_of({errc::no_space, "/dev/loop6"}).find("no space is left") == 0);
}

TEST_CASE("what was decided is told whole, but for paths", "[session]") {
  CHECK(told_of({errc::cancelled, "cancelled"}) == "cancelled");
  CHECK(told_of({errc::timeout, "the source sent nothing for 60 s"}) ==
        "the source sent nothing for 60 s");
  CHECK(told_of({errc::mismatch, "/dev/loop6: writes were missed"}) ==
        "(a path): writes were missed");
}

}  // namespace teleport
