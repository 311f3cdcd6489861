// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/arrival_sight_test.cpp: what a destination tells of a session.

#include "xl-teleport/destination/arrival_sight.hpp"

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

arrival_sight arriving(destination_state at) {
  arrival_sight seen;
  seen.at = at;
  seen.id = std::string(32, 'a');
  seen.guest = "web1";
  seen.disk_bytes = 100_MiB;
  seen.bulk.zero = 20_MiB;
  seen.bulk.link = 5_MiB;
  seen.has_targets = at >= destination_state::disks;
  return seen;
}

}  // namespace

TEST_CASE("a question and an offer are no jobs", "[jobs]") {
  using at = destination_state;
  for (const at state : {at::connected,
                         at::greeted,
                         at::foreign,
                         at::asked,
                         at::offered,
                         at::answered}) {
    CHECK_FALSE(is_job(arriving(state)));
  }
  CHECK(is_job(arriving(at::preparing)));
  CHECK(is_job(arriving(at::disks)));
  CHECK(is_job(arriving(at::over)));
  arrival_sight seed;
  seed.at = at::seeding;
  seed.seed = seed_destination_state::offered;
  CHECK_FALSE(is_job(seed));
  seed.seed = seed_destination_state::preparing;
  CHECK(is_job(seed));
}

TEST_CASE("an arrival can be taken back until GO has come", "[jobs]") {
  using at = destination_state;
  for (const at state : {at::preparing, at::disks, at::memory, at::ready}) {
    CHECK(told_moment(arriving(state), 0).revocable);
  }
  CHECK_FALSE(told_moment(arriving(at::committed), 0).revocable);
  arrival_sight runs = arriving(at::over);
  runs.guest_runs = true;
  CHECK_FALSE(told_moment(runs, 0).revocable);
}

TEST_CASE("an arrival is told with its share and its rate", "[jobs]") {
  const auto seen = arriving(destination_state::disks);
  CHECK(told_moment(seen, 1.25e6).line ==
        "disks  25.0 %  of 100.0 MiB  10.0 Mbit/s");
  const job about = told_job(seen, "host1");
  CHECK(about.id == seen.id);
  CHECK(about.role == job_role::destination);
  CHECK(about.kind == job_kind::teleport);
  CHECK(about.host == "host1");
}

TEST_CASE("an arrival's end is told", "[jobs]") {
  auto seen = arriving(destination_state::over);
  seen.failure = errc::peer_lost;
  seen.sentence = "the link was lost";
  CHECK(told_end(seen).outcome == "failed");
  CHECK(told_end(seen).sentence == "the link was lost");
  seen.failure = errc::cancelled;
  CHECK(told_end(seen).outcome == "cancelled");
  seen.guest_runs = true;
  CHECK(told_end(seen).outcome == "arrived");
  CHECK(told_end(seen).sentence.empty());
  seen.guest_runs = false;
  seen.seed = seed_destination_state::over;
  seen.succeeded = true;
  CHECK(told_end(seen).outcome == "kept");
}

}  // namespace teleport
