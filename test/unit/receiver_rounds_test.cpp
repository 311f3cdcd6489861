// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/receiver_rounds_test.cpp: rounds whose records and jobs overlap in
// any order. The oracle counts: an extent is proven once the last data that
// came of it was applied, and at no moment before.

#include <array>
#include <cstddef>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/receiver_bench.hpp"

namespace teleport {

namespace {

constexpr std::size_t extents = 2;

/// What a source knows of an extent.
struct course_of_extent {
  bool open = false;      ///< its data is not proven yet
  bool lied = false;      ///< that data is not what its digest says
  bool mismatch = false;  ///< and so all of it is wanted
};

/// Two proven extents; each step() is one thing that can happen.
class overlapping_rounds {
 public:
  explicit overlapping_rounds(unsigned seed) : random_(seed) {
    for (std::uint64_t extent = 0; extent < extents; ++extent) {
      bench_.bring(extent, stand::proven);
    }
  }

  void step() {
    switch (below(4)) {
      case 0:
        give(below(extents));
        break;
      case 1:
        begin_job();
        break;
      default:
        finish_job();
    }
  }
  /// Ends all that is open, by honest data.
  void finish() {
    while (!is_whole()) {
      for (std::size_t extent = 0; extent < extents; ++extent) {
        if (known_[extent].mismatch) {
          give(extent);
        }
      }
      begin_job();
      finish_job();
    }
  }
  [[nodiscard]] bool is_whole() const {
    return !known_[0].open && !known_[1].open;
  }
  [[nodiscard]] const receiver_bench& bench() const { return bench_; }
  [[nodiscard]] unsigned proofs() const { return proofs_; }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

  void give(std::size_t extent) {
    course_of_extent& known = known_[extent];
    if (known.open && !known.mismatch) {
      return;  // its data is under way
    }
    bench_.source.content()[extent * extent_bytes + below(block_bytes)] ^=
        std::byte{1};
    captured_extent read = bench_.read(extent);
    known.lied = !known.mismatch && below(3) == 0;
    if (known.lied) {
      read.digest[0] ^= std::byte{1};
    }
    bench_.give(plain_data(
        read, block_mask::first(known.mismatch ? extent_blocks : 1)));
    known.open = true;
    known.mismatch = false;
  }

  void begin_job() {
    auto action = bench_.receiver.next();
    if (action && std::holds_alternative<receiver_job>(*action)) {
      jobs_.push_back(std::get<receiver_job>(std::move(*action)));
    }
  }

  /// Any of those that were begun: the pool ends them in any order.
  void finish_job() {
    if (jobs_.empty()) {
      return;
    }
    const auto it =
        jobs_.begin() + static_cast<std::ptrdiff_t>(below(jobs_.size()));
    receiver_job job = std::move(*it);
    jobs_.erase(it);
    const bool unpacks = std::holds_alternative<unpack_job>(job);
    auto done = do_receiver_job(
        std::move(job), bench_.targets, bench_.lookup, bench_.unpacker);
    REQUIRE(done);
    if (!unpacks) {
      course_of_extent& known = known_[done->steps.at(0).work->place.extent];
      known.mismatch = known.lied;
      known.open = known.lied;
      proofs_ += known.lied ? 0 : 1;
    }
    bench_.receiver.on_job_done(std::move(*done));
  }

  std::mt19937 random_;
  receiver_bench bench_;
  std::array<course_of_extent, extents> known_;
  std::vector<receiver_job> jobs_;
  unsigned proofs_ = 0;
};

}  // namespace

TEST_CASE("no disk counts as proven while data of any extent is under way",
          "[migrate]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    overlapping_rounds rounds(seed);
    const auto check = [&] {
      REQUIRE(rounds.bench().receiver.all_proven() == rounds.is_whole());
      REQUIRE(rounds.bench().receiver.idle() == rounds.is_whole());
    };
    check();
    for (int i = 0; i < 60; ++i) {
      rounds.step();
      check();
    }
    rounds.finish();
    check();
    CHECK(rounds.proofs() > 0);
    CHECK(rounds.bench().target.content() == rounds.bench().source.content());
  }
}

}  // namespace teleport
