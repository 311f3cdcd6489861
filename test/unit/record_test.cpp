// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/record_test.cpp: the records' bodies: round trips, and each limit
// from both sides.

#include "libteleport/wire/record.hpp"

#include <utility>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr std::uint64_t extents_at_most = max_disk_bytes / extent_bytes;

extent_digest digest_of(char c) {
  return digest_extent(as_bytes(std::string(1, c)));
}

extents_record some_extents() {
  extents_record record;
  record.disk = 3;
  record.first = 1'000'000;
  record.digests = {
      std::nullopt, std::nullopt, digest_of('a'), digest_of('b'), std::nullopt};
  return record;
}

extent_data_record some_data() {
  extent_data_record record;
  record.place = {1, 2};
  record.digest = digest_of('c');
  record.data.set(0);
  record.data.set(255);
  record.zero.set(100);
  record.raw_bytes = 2 * block_bytes;
  record.coding = data_coding::streamed;
  record.payload = byte_buffer(77, std::byte{5});
  return record;
}

template <class T>
void check_refused(const result<T>& decoded) {
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == errc::protocol);
}

/// Every truncation and one byte more are refused.
template <class Decode>
void check_length(const byte_buffer& body, Decode decode) {
  REQUIRE(decode(body));
  for (std::size_t size = 0; size < body.size(); ++size) {
    check_refused(decode(byte_span(body).first(size)));
  }
  byte_buffer longer = body;
  longer.push_back(std::byte{0});
  check_refused(decode(longer));
}

}  // namespace

TEST_CASE("HELLO is the same after the wire", "[wire]") {
  const byte_buffer body = encode(hello_record{7, "xl-teleport 0.1.0"});
  const auto back = decode_hello(body);
  REQUIRE(back);
  CHECK(back->version == 7);
  CHECK(back->software == "xl-teleport 0.1.0");
  CHECK(as_text(byte_span(body).first(8)) == "TELEPORT");
  check_length(body, decode_hello);
}

TEST_CASE("HELLO of another protocol or with a long name is refused",
          "[wire]") {
  byte_buffer body = encode(hello_record{});
  body[0] = std::byte{'t'};
  check_refused(decode_hello(body));
  CHECK(decode_hello(encode(hello_record{1, std::string(200, 'x')})));
  check_refused(decode_hello(encode(hello_record{1, std::string(201, 'x')})));
}

TEST_CASE("EXTENTS is the same after the wire", "[wire]") {
  const extents_record record = some_extents();
  const byte_buffer body = encode(record);
  // Header, and three runs of which one has two digests.
  CHECK(body.size() == 12 + 3 * 3 + 2 * 32);
  const auto back = decode_extents(body);
  REQUIRE(back);
  CHECK(back->disk == record.disk);
  CHECK(back->first == record.first);
  CHECK(back->digests == record.digests);
  check_length(body, decode_extents);
}

TEST_CASE("EXTENTS takes the most extents and not one more", "[wire]") {
  extents_record record;
  record.digests.resize(max_announced);
  byte_buffer body = encode(record);
  CHECK(decode_extents(body));
  store_le(static_cast<std::uint16_t>(max_announced + 1),
           std::span(body).subspan(10));
  store_le(static_cast<std::uint16_t>(max_announced + 1),
           std::span(body).subspan(13));
  check_refused(decode_extents(body));
}

TEST_CASE("EXTENTS with a run out of range is refused", "[wire]") {
  byte_buffer body = encode(some_extents());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    byte_buffer changed = body;
    changed[at] = static_cast<std::byte>(value);
    return decode_extents(changed);
  };
  check_refused(with(10, 0));    // no extents
  check_refused(with(10, 4));    // the runs say more
  check_refused(with(12, 2));    // a kind that is not known
  check_refused(with(13, 0));    // an empty run
  check_refused(with(13, 6));    // longer than the count
  check_refused(with(0, 64));    // a disk that cannot be
  check_refused(with(9, 0x80));  // an extent that cannot be
}

TEST_CASE("EXTENT_STATES is the same after the wire", "[wire]") {
  extent_states_record record;
  record.entries = {{{0, 0}, extent_state::proven},
                    {{63, extents_at_most - 1}, extent_state::wants_digests},
                    {{5, 9}, extent_state::mismatch}};
  const byte_buffer body = encode(record);
  const auto back = decode_extent_states(body);
  REQUIRE(back);
  REQUIRE(back->entries.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(back->entries[i].place == record.entries[i].place);
    CHECK(back->entries[i].state == record.entries[i].state);
  }
  check_length(body, decode_extent_states);
}

TEST_CASE("EXTENT_STATES refuses unknown states and impossible places",
          "[wire]") {
  const auto of = [](extent_place place, std::uint8_t state) {
    extent_states_record record;
    record.entries = {{place, static_cast<extent_state>(state)}};
    return decode_extent_states(encode(record));
  };
  CHECK(of({0, 0}, 3));
  check_refused(of({0, 0}, 0));
  check_refused(of({0, 0}, 4));
  check_refused(of({64, 0}, 1));
  check_refused(of({0, extents_at_most}, 1));
  check_refused(of({0, UINT64_MAX}, 1));
  check_refused(decode_extent_states(byte_buffer(2)));
}

TEST_CASE("BLOCK_DIGESTS is the same after the wire", "[wire]") {
  block_digests_record record;
  record.place = {2, 77};
  record.zero.set(3);
  record.digests = {1, 2, UINT64_MAX};
  const byte_buffer body = encode(record);
  const auto back = decode_block_digests(body);
  REQUIRE(back);
  CHECK(back->place == record.place);
  CHECK(back->zero == record.zero);
  CHECK(back->digests == record.digests);
  check_length(body, decode_block_digests);
}

TEST_CASE("BLOCK_DIGESTS has a digest or a zero a block, not more", "[wire]") {
  block_digests_record record;
  record.zero.set(9);
  record.digests.resize(extent_blocks - 1);
  CHECK(decode_block_digests(encode(record)));
  record.digests.resize(extent_blocks);
  check_refused(decode_block_digests(encode(record)));
  record.digests.clear();
  record.place.disk = max_disks;
  check_refused(decode_block_digests(encode(record)));
}

TEST_CASE("WANTED is the same after the wire", "[wire]") {
  wanted_record record;
  record.place = {1, 2};
  record.blocks.set(64);
  record.blocks.set(255);
  const byte_buffer body = encode(record);
  const auto back = decode_wanted(body);
  REQUIRE(back);
  CHECK(back->place == record.place);
  CHECK(back->blocks == record.blocks);
  check_length(body, decode_wanted);
  record.place.extent = extents_at_most;
  check_refused(decode_wanted(encode(record)));
}

TEST_CASE("EXTENT_DATA is the same after the wire", "[wire]") {
  const extent_data_record record = some_data();
  const byte_buffer body = encode(record);
  const auto back = decode_extent_data(body);
  REQUIRE(back);
  CHECK(back->place == record.place);
  CHECK(back->digest == record.digest);
  CHECK(back->data == record.data);
  CHECK(back->zero == record.zero);
  CHECK(back->raw_bytes == record.raw_bytes);
  CHECK(back->coding == data_coding::streamed);
  CHECK(back->payload == record.payload);
  check_length(body, decode_extent_data);
}

TEST_CASE("EXTENT_DATA with fields at odds is refused", "[wire]") {
  const auto after = [](auto change) {
    extent_data_record record = some_data();
    change(record);
    return decode_extent_data(encode(record));
  };
  check_refused(after([](auto& r) { r.zero.set(255); }));  // both masks
  check_refused(after([](auto& r) { r.raw_bytes = 2 * block_bytes + 1; }));
  check_refused(after([](auto& r) { r.coding = data_coding::plain; }));
  check_refused(
      after([](auto& r) { r.payload.resize(max_payload_bytes + 1); }));
  check_refused(after([](auto& r) { r.place.disk = max_disks; }));
  byte_buffer body = encode(some_data());
  for (const unsigned coding : {1U, 3U, 255U}) {  // not known
    body[10 + 32 + 32 + 32 + 4] = static_cast<std::byte>(coding);
    check_refused(decode_extent_data(body));
  }
}

TEST_CASE("STREAM_PIECE is a kind and any bytes", "[wire]") {
  const auto back =
      decode_stream_piece(encode(stream_piece_record{2, byte_buffer(3)}));
  REQUIRE(back);
  CHECK(back->kind == 2);
  CHECK(back->body.size() == 3);
  CHECK(decode_stream_piece(encode(stream_piece_record{3, {}})));
  check_refused(decode_stream_piece({}));
}

}  // namespace teleport
