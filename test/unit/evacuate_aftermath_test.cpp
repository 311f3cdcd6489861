// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_aftermath_test.cpp: a start after a crash finds out what
// became of the teleports that were under way.

#include <ctime>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "libteleport/migrate/journal.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "tools/evacuate/aftermath.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

const std::string web = "11111111-0000-0000-0000-000000000001";

/// A host whose evacuation was cut short while `web` was under way.
class crashed_host {
 public:
  explicit crashed_host(bool back = false) {
    config_.state_path = folder_ / "state";
    config_.run_path = folder_ / "run";
    auto kept = open();
    REQUIRE(kept.begin(true));
    REQUIRE(kept.write(
        {{"event", "begin"}, {"back", back}, {"time", time_text()}}));
    REQUIRE(kept.write({{"event", "start"},
                        {"guest", "web"},
                        {"uuid", web},
                        {"to", "host2"},
                        {"time", time_text()}}));
    here_.guests = [this] { return result<std::vector<guest_seen>>(guests_); };
  }

  [[nodiscard]] record open() const {
    auto kept = record::open(folder_ / "evacuation");
    REQUIRE(kept);
    return std::move(*kept);
  }
  /// @param age  seconds since it was written
  void journal_says(journal_state state, std::time_t age = 0) const {
    auto book = journal::open(config_.journal_path());
    REQUIRE(book);
    journal_entry entry;
    entry.id = std::string(32, 'a');
    entry.state = state;
    entry.guest = "web";
    entry.uuid = web;
    entry.peer = "host2";
    REQUIRE(book->write(entry));
    const timespec when{std::time(nullptr) - age, 0};
    const timespec times[] = {when, when};
    REQUIRE(::utimensat(AT_FDCWD,
                        book->path_of(entry.id, entry.role).c_str(),
                        times,
                        0) == 0);
  }
  [[nodiscard]] past_run start(bool back = false) const {
    auto kept = open();
    const auto past = take_up(kept, back, here_, config_);
    REQUIRE(past);
    return *past;
  }
  [[nodiscard]] bool is_away() const { return !open().away()->empty(); }

  temp_folder folder_;
  settings config_;
  std::vector<guest_seen> guests_;
  machine here_;
};

}  // namespace

TEST_CASE("what arrived while nobody watched is away, and counts",
          "[evacuate]") {
  crashed_host host;
  host.journal_says(journal_state::moved);
  const auto past = host.start();
  CHECK_FALSE(past.over);
  REQUIRE(past.moved.size() == 1);
  CHECK(past.moved[0].uuid == web);
  CHECK(past.under_way.empty());
  CHECK(host.is_away());
  CHECK(host.start().moved.size() == 1);  // and after the next crash
}

TEST_CASE("a guest that is still here is left to the next plan", "[evacuate]") {
  crashed_host host;
  host.journal_says(journal_state::home);
  guest_seen guest;
  guest.uuid = web;
  guest.state = guest_state::running;
  host.guests_ = {guest};
  const auto past = host.start();
  CHECK_FALSE(past.over);
  CHECK(past.moved.empty());
  CHECK_FALSE(host.is_away());
}

TEST_CASE("what the journal says of another night does not count",
          "[evacuate]") {
  crashed_host host;
  host.journal_says(journal_state::moved, /*age=*/86400);
  CHECK(host.start().moved.empty());
  CHECK_FALSE(host.is_away());
}

TEST_CASE("a run the other way closes the one that was cut short",
          "[evacuate]") {
  crashed_host host;
  host.journal_says(journal_state::moved);
  const auto past = host.start(/*back=*/true);
  CHECK_FALSE(past.any);
  CHECK(past.moved.empty());
  CHECK(host.is_away());  // so that it is brought home now
  CHECK(host.open().last()->over);
}

TEST_CASE("a teleport that still ends is waited for", "[evacuate]") {
  crashed_host host;
  auto lock = lock_guest(host.config_.run_path, web);
  REQUIRE(lock);
  std::thread teleport([&] {
    host.journal_says(journal_state::moved);
    lock->reset();
  });
  const auto past = host.start();
  teleport.join();
  CHECK(past.moved.size() == 1);
}

TEST_CASE("a departure that is not over is known from the journal",
          "[evacuate]") {
  const crashed_host host;
  CHECK(departure_of(host.config_, web) == open_departure::none);
  host.journal_says(journal_state::go);
  CHECK(departure_of(host.config_, web) == open_departure::waits_for_answer);
  CHECK(departure_of(host.config_, std::string(36, '0')) ==
        open_departure::none);
  host.journal_says(journal_state::moved);
  CHECK(departure_of(host.config_, web) == open_departure::has_left);
  host.journal_says(journal_state::cleared);
  CHECK(departure_of(host.config_, web) == open_departure::none);
}

}  // namespace teleport::evacuation
