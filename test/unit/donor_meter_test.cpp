// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/donor_meter_test.cpp: a host that asks by digests what is on this
// one's disks has one account for all of its sessions.

#include "xl-teleport/destination/donor_meter.hpp"

#include <array>
#include <memory>
#include <string>

#include "libteleport/base/digest.hpp"
#include "libteleport/migrate/digest_window.hpp"
#include "test/support/catch.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

constexpr std::uint64_t most = digest_window::most;

struct words {
  std::array<std::uint64_t, digest_window::hours> all{};
  digest_window window{all};
};

byte_buffer donor_content() {
  return byte_buffer(extent_bytes, std::byte{5});
}

/// The sessions of a destination's hosts, one after the other.
class sessions {
 public:
  [[nodiscard]] std::unique_ptr<donor_meter> open(
      const std::string& key) const {
    auto donors = std::make_unique<fake_lookup>();
    donors->add_donor(donor_content());
    return std::make_unique<donor_meter>(
        std::move(donors), "host " + key, folder_.path() + "/run", key);
  }

 private:
  temp_folder folder_;
};

bool finds(donor_meter& meter) {
  const byte_buffer extent = donor_content();
  const std::array wanted{digest_block(byte_span(extent).first(block_bytes))};
  const bool block = !meter.find_blocks(wanted).empty();
  CHECK(meter.find_extent(digest_extent(extent)).has_value() == block);
  return block;
}

digest_account named(std::uint64_t blocks) {
  digest_account account;
  account.on_named(blocks);
  return account;
}

}  // namespace

TEST_CASE("a day's count is that of its 24 hours", "[digests]") {
  words day;
  CHECK(day.window.total(0) == 0);
  day.window.add(7, 0);
  day.window.add(10, 100);
  day.window.add(20, 100);
  day.window.add(5, 123);
  CHECK(day.window.total(100) == 30);
  CHECK(day.window.total(123) == 35);
  CHECK(day.window.total(124) == 5);
  day.window.add(1, 124);
  CHECK(day.window.total(124) == 6);
  CHECK(day.window.total(146) == 6);
  CHECK(day.window.total(147) == 1);
  CHECK(day.window.total(1'000'000) == 0);
}

TEST_CASE("a day's count does not overflow", "[digests]") {
  words day;
  for (const std::uint64_t hour : {50U, 51U}) {
    day.window.add(UINT64_MAX, hour);
    day.window.add(UINT64_MAX, hour);
  }
  CHECK(day.window.total(51) > 2 * most);
  CHECK(day.window.total(51 + digest_window::hours) == 0);
}

TEST_CASE("what a host named and did not bring counts in its next sessions",
          "[digests]") {
  const sessions here;
  {
    const auto first = here.open("a");
    first->settle(named(most / 2));
    CHECK(finds(*first));
    const auto beside = here.open("a");
    beside->settle(named(most / 2));
    CHECK(finds(*beside));
  }
  const auto second = here.open("a");
  REQUIRE(finds(*second));
  second->settle(named(1));
  CHECK_FALSE(finds(*second));
  CHECK_FALSE(finds(*here.open("a")));
  CHECK(finds(*here.open("b")));
}

TEST_CASE("what a session owes is counted while it goes on, and once",
          "[digests]") {
  const sessions here;
  const auto meter = here.open("a");
  digest_account account = named(most + 4096);
  account.on_proven(most, 0);
  account.on_proven(4096, 4096);
  meter->count(account);
  meter->count(account);
  meter->settle(account);
  auto next = here.open("a");
  next->settle(named(most - 4096));
  CHECK(finds(*here.open("a")));
  next = here.open("a");
  next->settle(named(1));
  CHECK_FALSE(finds(*here.open("a")));
}

TEST_CASE("untrue digests close the donors within their session", "[digests]") {
  const sessions here;
  const auto meter = here.open("a");
  meter->settle(named(most));
  const auto goes_on = here.open("a");
  digest_account account = named(8192);
  account.on_proven(4095, 4095);
  goes_on->count(account);
  CHECK(finds(*goes_on));
  account.on_proven(1, 1);
  goes_on->count(account);
  CHECK_FALSE(finds(*goes_on));
}

TEST_CASE("where no count can be had no donor is found", "[digests]") {
  auto donors = std::make_unique<fake_lookup>();
  donors->add_donor(donor_content());
  donor_meter meter(std::move(donors), "host a", "/dev/null/run", "a");
  CHECK_FALSE(finds(meter));
  meter.settle(named(most));
}

}  // namespace teleport
