// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/source_records_test.cpp: what a source sends is decoded by the
// process without rights, and refused there when it is none.

#include "libteleport/session/source_records.hpp"

#include <string>

#include "libteleport/session/end_records.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/record.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {
namespace {

byte_buffer bytes_of(const std::string& text) {
  const byte_span bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a record of the destination's is refused from a source",
          "[source_records]") {
  source_records checks;
  for (const record_row& row : record_rows) {
    if (row.by == record_sender::destination) {
      const auto passed = checks.check({row.type, {}});
      REQUIRE_FALSE(passed);
      CHECK(passed.error().code == errc::protocol);
    }
  }
}

TEST_CASE("JSON goes on as this program writes it", "[source_records]") {
  source_records checks;
  const auto passed = checks.check(
      {record_type::guest_config, bytes_of(" {\"b\" :1,\n\"a\":[ ]} ")});
  REQUIRE(passed);
  CHECK(as_text(passed->body) == R"({"a":[],"b":1})");
}

TEST_CASE("a body that its decoder does not accept goes no further",
          "[source_records]") {
  source_records checks;
  const std::string nested(100'000, '[');
  for (const record_type type :
       {record_type::offer, record_type::seed, record_type::guest_config}) {
    CHECK_FALSE(checks.check({type, bytes_of(nested)}));
    CHECK_FALSE(checks.check({type, bytes_of("{\"a\":")}));
  }
  for (const record_type type : {record_type::extents,
                                 record_type::block_digests,
                                 record_type::extent_data,
                                 record_type::stream_piece,
                                 record_type::query,
                                 record_type::hello}) {
    CAPTURE(name_of(type));
    CHECK_FALSE(checks.check({type, {}}));
  }
}

TEST_CASE("a record without a body is refused with one", "[source_records]") {
  source_records checks;
  for (const record_row& row : record_rows) {
    if (row.kind == record_kind::empty && row.by == record_sender::source) {
      CAPTURE(row.name);
      CHECK(checks.check({row.type, {}}));
      const auto passed = checks.check({row.type, byte_buffer(1)});
      REQUIRE_FALSE(passed);
      CHECK(passed.error().code == errc::protocol);
    }
  }
}

TEST_CASE("of a source of another version a QUERY alone is passed on whole",
          "[source_records]") {
  source_records checks;
  hello_record old;
  old.version = protocol_version - 1;
  const auto greeting = checks.check({record_type::hello, encode(old)});
  REQUIRE(greeting);
  CHECK(greeting->body == encode(old));
  const auto offer = checks.check({record_type::offer, bytes_of("{old")});
  REQUIRE(offer);
  CHECK(offer->body.empty());
  const byte_buffer query =
      encode(teleport_query{std::string(32, '0'), std::string()});
  const auto asked = checks.check({record_type::query, query});
  REQUIRE(asked);
  CHECK(asked->body == query);
}

}  // namespace teleport
