// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/sentence_test.cpp: what a program said last crosses the wire.

#include "libteleport/base/sentence.hpp"

#include <algorithm>
#include <string>

#include "libteleport/session/end_records.hpp"
#include "libteleport/xen/facts_json.hpp"
#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("a short sentence crosses as it is", "[sentence]") {
  CHECK(sendable("").empty());
  CHECK(sendable("it is in use") == "it is in use");
  CHECK(sendable("caf\u00e9 \u20ac \U0001f600") ==
        "caf\u00e9 \u20ac \U0001f600");
}

TEST_CASE("control characters become blanks", "[sentence]") {
  CHECK(sendable("one\ttwo\nthree\x1b[K\x7f\n") == "one two three [K ");
}

TEST_CASE("what a terminal obeys is recognised by its code point",
          "[sentence]") {
  for (const char* harmful : {"\u0080",
                              "\u009b",
                              "\u009f",
                              "\u061c",
                              "\u200e",
                              "\u200f",
                              "\u2028",
                              "\u202e",
                              "\u2066",
                              "\u2069",
                              "\x1b",
                              "\x7f",
                              "\n",
                              "\x9b"}) {
    INFO(harmful);
    CHECK_FALSE(is_harmless_text("web" + std::string(harmful) + "1"));
    CHECK(is_harmless_text(sendable("web" + std::string(harmful) + "1")));
  }
  CHECK(sendable("a\u009b2Jb\u202ec") == "a 2Jb c");
  for (const char* good : {"",
                           "web1",
                           "caf\u00e9",
                           "\u00a0",
                           "\u2027\u202f",
                           "\u2065\u206a",
                           "\U0001f600"}) {
    INFO(good);
    CHECK(is_harmless_text(good));
    CHECK(sendable(good) == good);
  }
}

TEST_CASE("of a long text the last lines that fit are kept", "[sentence]") {
  CHECK(sendable("the first line\nthe last line", 20) == "... the last line");
  CHECK(sendable("1234567890123456789\nends", 20) == "... ends");
  // A single line: its end.
  CHECK(sendable("12345678901234567890x", 20) == "... 678901234567890x");
}

TEST_CASE("no character is cut in two", "[sentence]") {
  for (std::size_t length = 0; length < 8; ++length) {
    const std::string text =
        "\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac" + std::string(length, 'x');
    const std::string sent = sendable(text, 17);
    CAPTURE(length, sent);
    CHECK(sent.size() <= 21);
    CHECK(sendable(sent, 100) == sent);
    CHECK(sent.find("\xef\xbf\xbd") == std::string::npos);
  }
}

TEST_CASE("what is no UTF-8 is replaced before the length is looked at",
          "[sentence]") {
  CHECK(sendable("a\xff"
                 "b") ==
        "a\xef\xbf\xbd"
        "b");
  for (const char* wrong :
       {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    CHECK(sendable(wrong).starts_with("\xef\xbf\xbd"));
  }
  CHECK(sendable(std::string(4096, '\xff')).size() <= max_sentence_bytes);
}

TEST_CASE("every record takes what a program said, however much it was",
          "[sentence]") {
  std::string said(20'000, '\t');
  said += "\nno space left on device";
  const auto result = read_go_result(to_json(go_result{false, said, {}, {}}));
  REQUIRE(result.has_value());
  CHECK(result->sentence.ends_with("no space left on device"));
  const auto problems =
      read_problems(to_json(std::vector<problem>{{"no_space", said}}));
  REQUIRE(problems.has_value());
  CHECK(problems->at(0).sentence.ends_with("no space left on device"));
}

}  // namespace teleport
