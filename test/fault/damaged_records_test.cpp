// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fault/damaged_records_test.cpp: every bit of the records of a small
// teleport flipped, and every cut: the target keeps what it has or holds what
// the digest says that it was told, and nothing crashes.

#include <algorithm>
#include <vector>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/duet.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr std::size_t disk_size = 5 * block_bytes - 512;

struct passing {
  bool to_destination = false;
  raw_record record;
};

byte_buffer content_of(int version) {
  byte_buffer content(disk_size);
  for (std::size_t i = 2 * block_bytes; i < content.size(); i += 256) {
    content[i] = static_cast<std::byte>(i / 256);
  }
  content[0] = static_cast<std::byte>(version);
  return content;
}

std::vector<dirty_map> first_block_dirty() {
  std::vector<dirty_map> all;
  all.emplace_back(disk_size, block_bytes);
  all.front().mark(0, 1);
  return all;
}

/// All records of a bulk and a round.
std::vector<passing> record_teleport() {
  memory_device source(content_of(1));
  memory_device target(byte_buffer(disk_size, std::byte{9}));
  fake_lookup lookup;
  std::vector<passing> all;
  duet both(1, {&source}, {{&target, false}}, lookup);
  both.listen([&](bool to_destination, const raw_record& record) {
    all.push_back({to_destination, record});
  });
  REQUIRE(both.bulk());
  source.content() = content_of(2);
  REQUIRE(both.round(first_block_dirty()));
  REQUIRE(source.content() == target.content());
  return all;
}

/// A destination that has been given the records before the damaged one.
class destination {
 public:
  result<void> give(const raw_record& record) {
    auto taken = receiver_.on_record(record);
    if (!taken) {
      return taken;
    }
    while (auto action = receiver_.next()) {
      if (auto* job = std::get_if<receiver_job>(&*action)) {
        auto done = do_receiver_job(
            std::move(*job), {{&target, false}}, lookup_, unpacker_);
        if (!done) {
          return done.error();
        }
        receiver_.on_job_done(std::move(*done));
      }
    }
    return {};
  }
  memory_device target{byte_buffer(disk_size, std::byte{9})};

 private:
  fake_lookup lookup_;
  block_unpacker unpacker_;
  disk_receiver receiver_{{disk_size}, probe_of(1)};
};

void check_damaged(const std::vector<passing>& all,
                   std::size_t which,
                   const byte_buffer& body) {
  destination test;
  for (std::size_t i = 0; i < which; ++i) {
    if (all[i].to_destination) {
      REQUIRE(test.give(all[i].record));
    }
  }
  const byte_buffer before = test.target.content();
  const auto taken = test.give({all[which].record.type, body});
  if (!taken) {
    CHECK(taken.error().code == errc::protocol);
  }
  const byte_buffer& after = test.target.content();
  const bool right =
      after == before || after == content_of(1) || after == content_of(2);
  CHECK(right);
}

}  // namespace

TEST_CASE("no flipped bit and no cut in a record gets the target wrong",
          "[fault]") {
  const auto all = record_teleport();
  std::size_t kinds = 0;
  for (std::size_t which = 0; which < all.size(); ++which) {
    if (!all[which].to_destination) {
      continue;
    }
    ++kinds;
    const byte_buffer& body = all[which].record.body;
    REQUIRE(body.size() < 1000);
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      CAPTURE(which, bit);
      byte_buffer flipped = body;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      check_damaged(all, which, flipped);
    }
    for (std::size_t size = 0; size < body.size(); ++size) {
      CAPTURE(which, size);
      check_damaged(
          all,
          which,
          byte_buffer(body.begin(),
                      body.begin() + static_cast<std::ptrdiff_t>(size)));
    }
  }
  CHECK(kinds == 4);  // EXTENTS, BLOCK_DIGESTS, EXTENT_DATA, and the round's
}

TEST_CASE("no flipped bit and no cut in an answer confuses the sender",
          "[fault]") {
  memory_device source(content_of(1));
  const auto check = [&](std::size_t step, const raw_record& damaged) {
    disk_sender sender({disk_size});
    block_packer packer;
    sender.start_bulk();
    const auto work = [&] {
      while (auto action = sender.next()) {
        if (auto* job = std::get_if<sender_job>(&*action)) {
          auto done = do_sender_job(*job, {{&source}}, packer);
          REQUIRE(done);
          sender.on_job_done(std::move(*done));
        }
      }
    };
    work();
    if (step > 0) {
      extent_states_record states;
      states.entries = {{{0, 0}, extent_state::wants_digests}};
      REQUIRE(sender.on_record({record_type::extent_states, encode(states)}));
      work();
    }
    const auto taken = sender.on_record(damaged);
    if (!taken) {
      CHECK(taken.error().code == errc::protocol);
    }
    work();
  };
  const auto all = record_teleport();
  std::size_t step = 0;
  for (const passing& passed : all) {
    if (passed.to_destination || step > 1) {
      continue;
    }
    const byte_buffer& body = passed.record.body;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      byte_buffer flipped = body;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      check(step, {passed.record.type, flipped});
    }
    for (std::size_t size = 0; size < body.size(); ++size) {
      byte_buffer cut = body;
      cut.resize(size);
      check(step, {passed.record.type, cut});
    }
    ++step;
  }
  CHECK(step == 2);
}

}  // namespace teleport
