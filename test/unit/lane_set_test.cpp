// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/lane_set_test.cpp: what goes on which lane, and what comes of it:
// the queue of records, the lanes of both ends, and how many are opened.

#include "libteleport/net/lane_set.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "libteleport/net/effort_watch.hpp"
#include "libteleport/net/lane_quota.hpp"
#include "libteleport/net/record_queue.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

using namespace teleport;

namespace {

byte_buffer body_of(std::size_t bytes, unsigned value) {
  return byte_buffer(bytes, std::byte(value));
}

byte_buffer all_of(record_queue& queue, std::size_t at_once) {
  byte_buffer all;
  for (;;) {
    const shared_bytes piece = queue.pop(at_once);
    if (piece.bytes.empty()) {
      return all;
    }
    all.insert(all.end(), piece.bytes.begin(), piece.bytes.end());
  }
}

void append(byte_buffer& to, const byte_buffer& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Both ends of a link; what is written arrives when the test says so.
struct two_sets {
  explicit two_sets(std::size_t lanes) {
    source.allow(lane_set::slices::out);
    destination.allow(lane_set::slices::in);
    for (std::size_t i = 1; i < lanes; ++i) {
      source.add(framer(max_slice_body));
      destination.add(framer(max_slice_body));
    }
  }

  /// Writes until all lanes are busy or nothing waits.
  void write() {
    while (auto next = source.next_write(queue, record_queue::batch_bytes)) {
      under_way.push_back(std::move(*next));
    }
  }
  void arrive(std::size_t which) {
    const auto one = under_way[which];
    under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(which));
    destination.feed(one.lane, one.bytes.bytes);
    queue.on_written(source.on_written(one.lane));
  }
  /// First bytes of the bodies that the destination has whole.
  std::vector<unsigned> records() {
    std::vector<unsigned> got;
    for (;;) {
      auto next = destination.next_record();
      REQUIRE(next);
      if (!*next) {
        return got;
      }
      got.push_back(std::to_integer<unsigned>((*next)->body.front()));
    }
  }

  record_queue queue;
  lane_set source;
  lane_set destination;
  std::vector<lane_set::write> under_way;
};

}  // namespace

TEST_CASE("a queue gives its records as one stream, in pieces of any size",
          "[net][lanes]") {
  const std::size_t at_once = GENERATE(1U, 7U, 4096U, 1U << 20U);
  record_queue queue;
  byte_buffer wanted;
  CHECK(queue.pop(at_once).bytes.empty());
  for (unsigned i = 0; i < 40; ++i) {
    const byte_buffer body = body_of(i * 1000, i);
    queue.push(record_type::extent_data, body);
    append(wanted, frame(record_type::extent_data, body));
  }
  CHECK(queue.queued() == wanted.size());
  CHECK(all_of(queue, at_once) == wanted);
  CHECK(queue.is_between_records());
  CHECK(queue.queued() == wanted.size());
  queue.on_written(wanted.size());
  CHECK(queue.queued() == 0);
}

TEST_CASE("what is ahead goes before what waits, behind what has begun",
          "[net][lanes]") {
  record_queue queue;
  const byte_buffer begun = body_of(record_queue::batch_bytes, 1);
  queue.push(record_type::extent_data, begun);
  queue.push(record_type::extent_data, body_of(10, 2));
  const shared_bytes piece = queue.pop(100);
  byte_buffer got(piece.bytes.begin(), piece.bytes.end());
  CHECK_FALSE(queue.is_between_records());
  queue.push_ahead(record_type::wanted, body_of(1, 3));
  queue.push_ahead(record_type::wanted, body_of(1, 4));
  append(got, all_of(queue, 1000));
  byte_buffer wanted = frame(record_type::extent_data, begun);
  append(wanted, frame(record_type::wanted, body_of(1, 3)));
  append(wanted, frame(record_type::wanted, body_of(1, 4)));
  append(wanted, frame(record_type::extent_data, body_of(10, 2)));
  CHECK(got == wanted);
}

TEST_CASE("blocks go before memory that was queued earlier", "[net][lanes]") {
  record_queue queue;
  for (unsigned i = 0; i < 6; ++i) {
    queue.push_behind(record_type::stream_piece, body_of(20'000, i));
  }
  const shared_bytes piece = queue.pop(100);
  byte_buffer got(piece.bytes.begin(), piece.bytes.end());
  queue.push(record_type::extent_data, body_of(10, 7));
  queue.push_ahead(record_type::extents, body_of(1, 8));
  CHECK(queue.queued() - queue.queued_behind() == 100 + 18 + 9);
  append(got, all_of(queue, 1000));
  byte_buffer wanted;
  for (unsigned i = 0; i < 2; ++i) {  // a batch that has begun goes out whole
    append(wanted, frame(record_type::stream_piece, body_of(20'000, i)));
  }
  append(wanted, frame(record_type::extents, body_of(1, 8)));
  append(wanted, frame(record_type::extent_data, body_of(10, 7)));
  for (unsigned i = 2; i < 6; ++i) {
    append(wanted, frame(record_type::stream_piece, body_of(20'000, i)));
  }
  CHECK(got == wanted);
  CHECK(queue.queued_behind() == 0);
  CHECK(queue.queued() == wanted.size());
}

TEST_CASE("blocks wait for no more than a short batch of memory",
          "[net][lanes]") {
  record_queue queue;
  for (unsigned i = 0; i < 200; ++i) {
    queue.push_behind(record_type::stream_piece, body_of(5000, 1));
  }
  CHECK(queue.pop(1).bytes.size() == 1);
  queue.push(record_type::extent_data, body_of(10, 2));
  std::size_t before = 1;
  while (!queue.is_between_records()) {
    before += queue.pop(4096).bytes.size();
  }
  CHECK(before <= record_queue::behind_batch_bytes + 5008);
  const shared_bytes next = queue.pop(100);
  CHECK(
      same_bytes(next.bytes, frame(record_type::extent_data, body_of(10, 2))));
}

TEST_CASE("the last record waits for nothing but what has begun",
          "[net][lanes]") {
  const bool behind = GENERATE(false, true);
  record_queue queue;
  const auto push = [&](unsigned value) {
    behind
        ? queue.push_behind(record_type::stream_piece, body_of(50'000, value))
        : queue.push(record_type::extent_data, body_of(500'000, value));
  };
  push(1);
  push(2);
  queue.push_ahead(record_type::extents, body_of(1, 3));
  const shared_bytes first = queue.pop(1000);  // what is ahead, alone or not
  byte_buffer got(first.bytes.begin(), first.bytes.end());
  while (!queue.is_between_records()) {
    const shared_bytes rest = queue.pop(1000);
    append(got, byte_buffer(rest.bytes.begin(), rest.bytes.end()));
  }
  push(4);
  const shared_bytes begun = queue.pop(1000);
  append(got, byte_buffer(begun.bytes.begin(), begun.bytes.end()));
  push(5);
  queue.push_ahead(record_type::extents, body_of(1, 6));
  queue.push_last(record_type::fail, body_of(7, 9));
  append(got, all_of(queue, 1000));
  const byte_buffer last = frame(record_type::fail, body_of(7, 9));
  REQUIRE(got.size() > last.size());
  CHECK(byte_buffer(got.end() - static_cast<std::ptrdiff_t>(last.size()),
                    got.end()) == last);
  CHECK(queue.queued_behind() == 0);
  CHECK(queue.queued() == got.size());
  // Whole records.
  framer in;
  in.feed(got);
  std::size_t records = 0;
  for (auto next = in.next(); next && *next; next = in.next()) {
    ++records;
    CHECK((*next)->body.front() != std::byte(5));
    CHECK((*next)->body.front() != std::byte(6));
  }
  CHECK(records >= 3);
}

TEST_CASE("a piece outlives the queue that gave it", "[net][lanes]") {
  auto queue = std::make_unique<record_queue>();
  queue->push(record_type::go, body_of(3, 9));
  const shared_bytes piece = queue->pop(100);
  queue.reset();
  CHECK(same_bytes(piece.bytes, frame(record_type::go, body_of(3, 9))));
}

TEST_CASE("one lane carries records as they are", "[net][lanes]") {
  two_sets link(1);
  link.queue.push(record_type::go, body_of(1, 5));
  link.write();
  REQUIRE(link.under_way.size() == 1);
  CHECK(same_bytes(link.under_way[0].bytes.bytes,
                   frame(record_type::go, body_of(1, 5))));
  CHECK(link.source.is_writing());
  link.arrive(0);
  CHECK_FALSE(link.source.is_writing());
  CHECK(link.queue.queued() == 0);
  CHECK(link.records() == std::vector<unsigned>{5});
}

TEST_CASE("slice 0 goes on the first lane, when that is free", "[net][lanes]") {
  two_sets link(1);
  link.queue.push(record_type::go, body_of(1, 1));
  link.write();
  link.source.add(framer(max_slice_body));
  link.destination.add(framer(max_slice_body));
  link.queue.push(record_type::go, body_of(100'000, 2));
  link.write();
  CHECK(link.under_way.size() == 1);  // the second lane waits for slice 0
  link.arrive(0);
  link.write();
  REQUIRE(link.under_way.size() == 2);
  CHECK(link.under_way[0].lane == 0);
  CHECK(link.under_way[1].lane == 1);
  link.arrive(0);
  link.arrive(0);
  for (link.write(); !link.under_way.empty(); link.write()) {
    link.arrive(0);
  }
  CHECK(link.records() == std::vector<unsigned>{1, 2});
}

TEST_CASE("records keep their order whichever lane is first", "[net][lanes]") {
  const bool last_first = GENERATE(false, true);
  two_sets link(4);
  std::vector<unsigned> wanted;
  for (unsigned i = 0; i < 200; ++i) {
    link.queue.push(record_type::extent_data, body_of(1 + i * 997 % 90'000, i));
    wanted.push_back(i);
  }
  std::vector<unsigned> got;
  for (link.write(); !link.under_way.empty(); link.write()) {
    link.arrive(last_first ? link.under_way.size() - 1 : 0);
    for (const unsigned one : link.records()) {
      got.push_back(one);
    }
  }
  CHECK(got == wanted);
  CHECK(link.queue.queued() == 0);
}

TEST_CASE("lanes that have room carry the same", "[net][lanes]") {
  two_sets link(3);
  link.queue.push(record_type::extent_data, body_of(3_MiB, 1));
  std::vector<std::size_t> carried(3);
  for (link.write(); !link.under_way.empty(); link.write()) {
    carried[link.under_way[0].lane] += link.under_way[0].of_records;
    link.arrive(0);
  }
  CHECK(carried[0] <= carried[1] + max_slice_bytes);
  CHECK(carried[1] <= carried[2] + max_slice_bytes);
  CHECK(carried[2] <= carried[0] + max_slice_bytes);
}

TEST_CASE("a lane that has ended carries nothing more", "[net][lanes]") {
  two_sets link(2);
  link.queue.push(record_type::extent_data, body_of(1_MiB, 1));
  link.write();
  link.arrive(0);
  link.arrive(0);
  link.source.end(1);
  link.write();
  REQUIRE(link.under_way.size() == 1);
  CHECK(link.under_way[0].lane == 0);
  CHECK_FALSE(link.source.all_ended());
  link.source.end(0);
  CHECK(link.source.all_ended());
}

TEST_CASE("what is no slice is refused where only slices may come",
          "[net][lanes]") {
  const byte_buffer record = frame(record_type::go, body_of(1, 1));
  SECTION("on the first lane, behind slice 0") {
    two_sets link(2);
    link.destination.feed(0,
                          frame(record_type::slice, encode_slice(0, record)));
    link.destination.feed(0, record);
    REQUIRE(*link.destination.next_record());
    const auto next = link.destination.next_record();
    REQUIRE_FALSE(next);
    CHECK(next.error().code == errc::protocol);
  }
  SECTION("on another lane, at any time") {
    two_sets link(2);
    link.destination.feed(1, record);
    CHECK_FALSE(link.destination.next_record());
  }
  SECTION("slice 0 on another lane") {
    two_sets link(2);
    link.destination.feed(1,
                          frame(record_type::slice, encode_slice(0, record)));
    CHECK_FALSE(link.destination.next_record());
  }
}

TEST_CASE("a slice that was not allowed is a record like any other",
          "[net][lanes]") {
  lane_set plain;
  plain.feed(0, frame(record_type::slice, encode_slice(0, body_of(1, 1))));
  const auto record = plain.next_record();
  REQUIRE(record);
  REQUIRE(*record);
  CHECK(is_link_record((*record)->type));
}

TEST_CASE("as many lanes are opened as both want, a few at a time",
          "[net][lanes]") {
  lane_quota quota;
  CHECK_FALSE(quota.wants_more_than_one());
  quota.want(6);
  CHECK(quota.wants_more_than_one());
  CHECK(quota.begin_opening(1) == 0);  // none was allowed yet
  quota.allow(4);
  CHECK(quota.begin_opening(1) == lane_quota::most_opening);
  CHECK(quota.begin_opening(1) == 0);
  quota.on_opened();
  CHECK(quota.begin_opening(2) == 1);
  quota.on_opened();
  quota.on_opened();
  CHECK(quota.begin_opening(4) == 1);
  quota.on_opened();
  CHECK(quota.begin_opening(5) == 0);  // 4 beside the first
}

TEST_CASE("after three that failed no more are opened", "[net][lanes]") {
  lane_quota quota;
  quota.want(4);
  quota.allow(15);
  REQUIRE(quota.begin_opening(1) == 2);
  CHECK_FALSE(quota.on_failed());
  CHECK_FALSE(quota.on_failed());
  REQUIRE(quota.begin_opening(1) == 2);
  CHECK(quota.on_failed());
  CHECK(quota.begin_opening(1) == 0);
}

TEST_CASE("a second was busy when nothing but the link held it back",
          "[net][lanes]") {
  effort_watch watch;
  link_sight sight;
  sight.congestion_control = "cubic";
  sight.lanes = {link_effort{1000, 5, 0, false}, std::nullopt};
  CHECK(watch.on_look(sight, false).busy);
  CHECK_FALSE(watch.on_look(sight, true).busy);
  sight.lanes[0]->peer_full_us += effort_watch::peer_full_us;
  CHECK_FALSE(watch.on_look(sight, false).busy);
  CHECK(watch.on_look(sight, false).busy);  // that was the second before
  sight.lanes[0]->idle = true;
  CHECK_FALSE(watch.on_look(sight, false).busy);
}

TEST_CASE("cubic minds every loss, bbr one segment of fifty", "[net][lanes]") {
  const bool bbr = GENERATE(true, false);
  effort_watch watch;
  link_sight sight;
  sight.congestion_control = bbr ? "bbr" : "cubic";
  sight.lanes = {link_effort{1000, 1000, 0, false}};
  (void)watch.on_look(sight, false);
  sight.lanes[0]->segments += 1000;
  sight.lanes[0]->resent += 19;
  CHECK(watch.on_look(sight, false).lossy == !bbr);
  sight.lanes[0]->segments += 1000;
  sight.lanes[0]->resent += 20;
  CHECK(watch.on_look(sight, false).lossy);
  sight.lanes[0]->segments += 1000;
  CHECK_FALSE(watch.on_look(sight, false).lossy);
}
