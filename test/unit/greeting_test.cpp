// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/greeting_test.cpp: HELLO, FAIL and QUERY: what all sessions say and
// hear in one way.

#include "libteleport/session/greeting.hpp"

#include <string>

#include "libteleport/session/end_records.hpp"
#include "libteleport/wire/record.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("our own HELLO is welcome", "[greeting]") {
  CHECK(check_hello(own_hello(), "host2"));
}

TEST_CASE(
    "HELLO of another version is refused with both versions and what to do",
    "[greeting]") {
  hello_record other;
  other.version = protocol_version + 1;
  other.software = "xl-teleport 9.0";
  const auto checked = check_hello(encode(other), "host2");
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == errc::unsupported);
  CHECK(contains(checked.error().context,
                 "host2 speaks version " + std::to_string(other.version) +
                     " of the protocol (xl-teleport 9.0)"));
  CHECK(contains(checked.error().context, "): upgrade this host"));
  other.version = protocol_version - 1;
  CHECK(contains(check_hello(encode(other), "host2").error().context,
                 "): upgrade host2"));
}

TEST_CASE("what is no HELLO is an error of the protocol, not of the version",
          "[greeting]") {
  const auto checked = check_hello(as_bytes("GET / HTTP/1.1\r\n"), "host2");
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == errc::protocol);
}

TEST_CASE("FAIL comes back as it was sent, whatever is in its sentence",
          "[greeting][failure]") {
  const auto heard = [](const std::string& sentence) {
    const auto note = decode_failure(encode(failure_note{"busy", sentence}));
    REQUIRE(note);
    CHECK(note->code == "busy");
    return note->sentence;
  };
  CHECK(heard("it is in use") == "it is in use");
  CHECK(heard(R"(the disk "C:\x" {is} in use)") ==
        R"(the disk "C:\x" {is} in use)");
  // The reader refuses control characters: the writer sends none.
  CHECK(heard("one\n  two\x7f") == "one   two ");
  // Of a long one its end, where a program says why it failed.
  CHECK(heard(std::string(5000, 'x')) == "... " + std::string(4092, 'x'));
  // Bytes that are no UTF-8 become three each.
  CHECK(heard(std::string(2000, '\xff')).size() <= 4096);
  CHECK(heard("").empty());
}

TEST_CASE("FAIL that cannot be read is an error of the protocol",
          "[greeting][failure]") {
  for (const char* text : {"",
                           "x",
                           "[]",
                           "{}",
                           R"({"code":"busy"})",
                           R"({"sentence":"busy"})",
                           R"({"code":1,"sentence":"busy"})"}) {
    const auto note = decode_failure(as_bytes(text));
    CAPTURE(text);
    REQUIRE_FALSE(note);
    CHECK(note.error().code == errc::protocol);
  }
}

TEST_CASE("who is not paired is told the command that pairs", "[greeting]") {
  const byte_buffer fail = encode(failure_note{"not_paired", "who are you?"});
  const error told = failure_of_destination(fail, "host2");
  CHECK(told.code == errc::not_paired);
  CHECK(contains(told.context, "'teleportctl pair root@host2'"));
  const error full = failure_of_destination(
      encode(failure_note{"no_space", "the store is full"}), "host2");
  CHECK(full.code == errc::refused);
  CHECK(full.context == "host2: the store is full");
}

TEST_CASE("every record's name is known, and no other number has one",
          "[greeting][record]") {
  CHECK(name_of(record_type::hello) == "HELLO");
  CHECK(name_of(record_type::guest_received) == "GUEST_RECEIVED");
  CHECK(name_of(record_type::slice) == "SLICE");
  unsigned known = 0;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    known += is_known(static_cast<std::uint16_t>(number)) ? 1U : 0U;
  }
  CHECK(known == record_rows.size());
  CHECK(is_link_record(record_type::slice));
  CHECK_FALSE(is_link_record(record_type::seeded));
  // PROTOCOL.md, section 2.3: the ends of its three ranges.
  for (const unsigned number : {0U, 31U, 47U, 64U, 65535U}) {
    CHECK_FALSE(is_known(static_cast<std::uint16_t>(number)));
    CHECK_FALSE(is_link_record(static_cast<record_type>(number)));
  }
}

TEST_CASE("a record that only the other end sends is told to be its",
          "[greeting][record]") {
  CHECK(out_of_state(record_sender::source, record_type::answer, "disks")
            .context ==
        "the source sent ANSWER (record 3), which only its peer may send");
  CHECK(out_of_state(record_sender::destination, record_type::answer, "disks")
            .context ==
        "the destination sent ANSWER (record 3) out of time: the state is "
        "disks");
  CHECK(out_of_state(record_sender::source, record_type::hello, "").context ==
        "the source sent HELLO (record 1) out of time");
}

TEST_CASE("QUERY is a teleport's number, and the guest's uuid or nothing else",
          "[greeting]") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::string uuid = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11";
  for (const std::string& known : {std::string(), uuid}) {
    const auto read = read_query(encode(teleport_query{id, known}));
    REQUIRE(read);
    CHECK(read->id == id);
    CHECK(read->uuid == known);
  }
  for (const std::string& bad : {std::string(),
                                 id.substr(1),
                                 id + "0",
                                 id + uuid.substr(1),
                                 id + uuid + "0",
                                 id + id + "0123",
                                 "../" + id.substr(3),
                                 "0123456789ABCDEF0123456789ABCDEF" + id}) {
    CHECK_FALSE(read_query(as_bytes(bad)));
  }
}

TEST_CASE("QUERY_RESULT is one of five fates and nothing else", "[greeting]") {
  for (unsigned number = 0; number < 256; ++number) {
    const auto fate = static_cast<destination_fate>(number);
    const byte_buffer body = encode(fate);
    const auto read = read_query_result(body);
    CAPTURE(number);
    REQUIRE(read.has_value() == (number >= 1 && number <= 5));
    if (read) {
      CHECK(*read == fate);
    }
  }
  CHECK_FALSE(read_query_result({}));
  byte_buffer longer = encode(destination_fate::running);
  longer.push_back({});
  CHECK_FALSE(read_query_result(longer));
}

}  // namespace teleport
