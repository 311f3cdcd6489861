// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/xl_monitor_test.cpp: which domain a monitor of xl's watches.

#include "libteleport/xen/xl_monitor.hpp"

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("a monitor watches the domain that it named last", "[xl_monitor]") {
  CHECK(watched_domain("Waiting for domain web1 (domid 7) to die [pid 12]\n") ==
        7U);
  // After a reboot, in the same log.
  CHECK(watched_domain("Waiting for domain web1 (domid 7) to die [pid 12]\n"
                       "Domain 7 has shut down, reason code 1 0x1\n"
                       "Waiting for domain web1 (domid 19) to die [pid 12]\n"
                       "Domain 19 has been destroyed.\n") == 19U);
  CHECK(watched_domain("Waiting for domain a (domid 3) b (domid 41) to die "
                       "[pid 12]") == 41U);
}

TEST_CASE("a log that names no domain is no monitor's", "[xl_monitor]") {
  for (const char* log : {"",
                          "Waiting for domain web1",
                          "Waiting for domain web1 (domid ) to die",
                          "Waiting for domain web1 (domid x7) to die",
                          "Waiting for domain web1 (domid 7x) to die",
                          "Waiting for domain web1 (domid 99999999999) to die",
                          "Parsing config from web1.cfg"}) {
    CAPTURE(log);
    CHECK_FALSE(watched_domain(log));
  }
}

TEST_CASE("a domain that nobody watches has no monitor to stop",
          "[xl_monitor]") {
  CHECK_FALSE(stop_monitor(4'000'000'000U));
  CHECK_FALSE(continue_monitor(4'000'000'000U));
}

}  // namespace teleport
