// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/start_at_rest_test.cpp: the guest is paused only where it must be,
// and never left paused.

#include "xl-teleport/source/start_at_rest.hpp"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

using namespace teleport;

namespace {

/// Answers start_barrier() as told; nothing else is asked of it here.
class told_tracker : public dirty_tracker {
 public:
  explicit told_tracker(std::deque<result<void>> answers)
      : answers_(std::move(answers)) {}

  result<void> start_barrier(std::chrono::milliseconds) override {
    REQUIRE_FALSE(answers_.empty());
    const auto answer = answers_.front();
    answers_.pop_front();
    return answer;
  }
  result<dirty_map> take() override { return unasked(); }
  [[nodiscard]] block_mask written_since(std::uint64_t) const override {
    return {};
  }
  result<bool> idle() override { return unasked(); }
  result<void> audit() override { return unasked(); }
  [[nodiscard]] tracker_counters counters() const override { return {}; }

 private:
  static error unasked() { return {errc::system, "not asked for"}; }
  std::deque<result<void>> answers_;
};

const error never_at_rest{errc::timeout, "written without a pause"};
const error xen_fails{errc::system, "xen fails"};

struct outcome {
  result<void> settled;
  std::vector<bool> calls;  ///< of set_paused
};

outcome play(std::deque<result<void>> barriers,
             std::deque<result<void>> pauses) {
  told_tracker tracker(std::move(barriers));
  std::vector<bool> calls;
  auto settled = start_at_rest(tracker, [&](bool paused) {
    calls.push_back(paused);
    REQUIRE_FALSE(pauses.empty());
    const auto answer = pauses.front();
    pauses.pop_front();
    return answer;
  });
  return {std::move(settled), std::move(calls)};
}

}  // namespace

TEST_CASE("a disk at rest needs no pause", "[settle]") {
  const auto played = play({result<void>()}, {});
  CHECK(played.settled);
  CHECK(played.calls.empty());
}

TEST_CASE("a disk that cannot be tracked does not pause the guest",
          "[settle]") {
  const auto played = play({xen_fails}, {});
  REQUIRE_FALSE(played.settled);
  CHECK(played.settled.error().code == errc::system);
  CHECK(played.calls.empty());
}

TEST_CASE("a disk written all the time settles with the guest paused",
          "[settle]") {
  const auto played =
      play({never_at_rest, result<void>()}, {result<void>(), result<void>()});
  CHECK(played.settled);
  CHECK(played.calls == std::vector<bool>{true, false});
}

TEST_CASE("the guest goes on whatever fails", "[settle]") {
  const auto barrier_fails =
      play({never_at_rest, never_at_rest}, {result<void>(), result<void>()});
  REQUIRE_FALSE(barrier_fails.settled);
  CHECK(barrier_fails.settled.error().code == errc::timeout);
  CHECK(barrier_fails.calls == std::vector<bool>{true, false});

  const auto pause_fails = play({never_at_rest}, {xen_fails, result<void>()});
  REQUIRE_FALSE(pause_fails.settled);
  CHECK(pause_fails.settled.error().code == errc::system);
  CHECK(pause_fails.calls == std::vector<bool>{true, false});
}

TEST_CASE("a guest that cannot be let go on is a failure", "[settle]") {
  const auto played =
      play({never_at_rest, result<void>()}, {result<void>(), xen_fails});
  REQUIRE_FALSE(played.settled);
  CHECK(played.settled.error().code == errc::system);
}
