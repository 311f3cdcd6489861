// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/framer_test.cpp: bytes to records, however the bytes are cut.

#include "libteleport/wire/framer.hpp"

#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

byte_buffer header(std::uint32_t length,
                   std::uint16_t type,
                   std::uint16_t reserved) {
  byte_writer out;
  out.number(length);
  out.number(type);
  out.number(reserved);
  return std::move(out).take();
}

/// Three records, an empty one among them.
byte_buffer stream_of_three() {
  byte_buffer stream = frame(record_type::hello, as_bytes("abc"));
  const byte_buffer empty = frame(record_type::prepare, {});
  const byte_buffer last = frame(record_type::query, as_bytes("0123456789"));
  stream.insert(stream.end(), empty.begin(), empty.end());
  stream.insert(stream.end(), last.begin(), last.end());
  return stream;
}

void take_all(framer& from, std::vector<raw_record>& records) {
  while (true) {
    auto record = from.next();
    REQUIRE(record);
    if (!*record) {
      return;
    }
    records.push_back(std::move(**record));
  }
}

void check_three(const std::vector<raw_record>& records) {
  REQUIRE(records.size() == 3);
  CHECK(records[0].type == record_type::hello);
  CHECK(as_text(records[0].body) == "abc");
  CHECK(records[1].type == record_type::prepare);
  CHECK(records[1].body.empty());
  CHECK(records[2].type == record_type::query);
  CHECK(as_text(records[2].body) == "0123456789");
}

}  // namespace

TEST_CASE("framer gives the same records for every split in three", "[wire]") {
  const byte_buffer stream = stream_of_three();
  const byte_span all = stream;
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t second = first; second <= all.size(); ++second) {
      framer framer;
      std::vector<raw_record> records;
      for (const byte_span part : {all.first(first),
                                   all.subspan(first, second - first),
                                   all.subspan(second)}) {
        framer.feed(part);
        take_all(framer, records);
      }
      check_three(records);
    }
  }
}

TEST_CASE("framer takes single bytes and everything at once", "[wire]") {
  const byte_buffer stream = stream_of_three();
  framer single;
  std::vector<raw_record> records;
  for (const std::byte& byte : stream) {
    single.feed({&byte, 1});
    take_all(single, records);
  }
  check_three(records);
  framer whole;
  records.clear();
  whole.feed(stream);
  take_all(whole, records);
  check_three(records);
}

TEST_CASE("framer refuses a length above the limit from its header alone",
          "[wire]") {
  for (const std::uint32_t length :
       {static_cast<std::uint32_t>(max_record_bytes + 1), UINT32_MAX}) {
    framer framer;
    framer.feed(header(length, 1, 0));
    const auto record = framer.next();
    REQUIRE_FALSE(record);
    CHECK(record.error().code == errc::protocol);
  }
}

TEST_CASE("framer takes a record of the greatest length", "[wire]") {
  framer framer;
  const byte_buffer body(max_record_bytes, std::byte{9});
  framer.feed(frame(record_type::stream_piece, body));
  auto record = framer.next();
  REQUIRE(record);
  REQUIRE(*record);
  CHECK((*record)->body == body);
}

TEST_CASE("framer refuses every type that has no number", "[wire]") {
  for (std::uint32_t type = 0; type <= UINT16_MAX; ++type) {
    framer framer;
    framer.feed(header(0, static_cast<std::uint16_t>(type), 0));
    const auto record = framer.next();
    CHECK(record.has_value() == ((type >= 1 && type <= 22) || type == 32 ||
                                 type == 33 || (type >= 48 && type <= 51)));
  }
}

TEST_CASE("framer refuses a reserved field that is not 0", "[wire]") {
  for (unsigned bit = 0; bit < 16; ++bit) {
    framer framer;
    framer.feed(header(0, 1, static_cast<std::uint16_t>(1U << bit)));
    CHECK_FALSE(framer.next());
  }
}

TEST_CASE("framer that has refused goes on refusing", "[wire]") {
  framer framer;
  framer.feed(header(0, 99, 0));
  CHECK_FALSE(framer.next());
  framer.feed(frame(record_type::hello, {}));
  CHECK_FALSE(framer.next());
}

TEST_CASE("framer keeps order over many records and small pieces", "[wire]") {
  framer framer;
  byte_buffer stream;
  for (std::uint16_t i = 0; i < 2000; ++i) {
    const byte_buffer body(i % 97, static_cast<std::byte>(i));
    const byte_buffer one = frame(record_type::go, body);
    stream.insert(stream.end(), one.begin(), one.end());
  }
  std::vector<raw_record> records;
  for (std::size_t at = 0; at < stream.size(); at += 61) {
    framer.feed(byte_span(stream).subspan(
        at, std::min<std::size_t>(61, stream.size() - at)));
    take_all(framer, records);
  }
  REQUIRE(records.size() == 2000);
  for (std::uint16_t i = 0; i < 2000; ++i) {
    CHECK(records[i].body == byte_buffer(i % 97, static_cast<std::byte>(i)));
  }
}

}  // namespace teleport
