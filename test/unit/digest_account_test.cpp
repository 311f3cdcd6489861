// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/digest_account_test.cpp: digests that are of nothing.

#include "libteleport/migrate/digest_account.hpp"

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("digests are counted by what came of them", "[migrate]") {
  digest_account account;
  account.on_named(256);
  account.on_named(256);
  account.on_named(256);
  account.on_proven(256, 0);
  account.on_proven(256, 6);
  CHECK(account.named() == 768);
  CHECK(account.untrue() == 6);
  CHECK(account.text() ==
        "768 blocks by their digests: 506 as they then were, 6 otherwise, 256 "
        "never brought");
}

TEST_CASE("a session may name as many untrue digests as a busy disk needs",
          "[migrate]") {
  digest_account account;
  // 1024 extents are under way, all of which the guest rewrites, twice over.
  for (int i = 0; i < 2048; ++i) {
    account.on_named(256);
    account.on_proven(256, 256);
    REQUIRE_FALSE(account.is_over());
  }
  account.on_named(256);
  CHECK_FALSE(account.is_over());
  account.on_proven(256, 1);
  CHECK(account.is_over());
}

TEST_CASE("true digests are as many as there are blocks", "[migrate]") {
  digest_account account(0);
  for (int i = 0; i < 100'000; ++i) {
    account.on_named(256);
    account.on_proven(256, 0);
  }
  CHECK_FALSE(account.is_over());
}

}  // namespace teleport
