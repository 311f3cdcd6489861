// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/xen_receive_test.cpp: what is said to and by `xl migrate-receive`,
// and the process that says it.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "libteleport/xen/guardian.hpp"
#include "libteleport/xen/guardian_link.hpp"
#include "libteleport/xen/receive_handshake.hpp"
#include "libteleport/xen/xl_receiver.hpp"
#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {
namespace {

using namespace std::string_literals;
using stage = receive_handshake::stage;

const std::string banner =
    "xl migration receiver ready, send binary domain data.\n";
const std::string ready = "domain received, ready to unpause\0"s;
const std::string report = "my copy unpause results are as follows\0"s;
const std::string go = "domain is yours, you are cleared to unpause\0"s;

std::string exchange(xl_receiver& xl) {
  std::string said;
  char byte = 0;
  while (::read(xl.stdout_fd(), &byte, 1) == 1) {
    said += byte;
  }
  return said;
}

/// A stand-in for xl, removed with the object.
struct script {
  explicit script(const std::string& text) : path(folder / "xl") {
    std::ofstream(path) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  script(const script&) = delete;
  script& operator=(const script&) = delete;
  script(script&&) = delete;
  script& operator=(script&&) = delete;
  ~script() = default;

  temp_folder folder;
  std::string path;
};

}  // namespace

TEST_CASE("the handshake goes its way, in pieces of any size", "[xen]") {
  const std::string before = banner + ready;
  const std::string after = report + '\0';
  for (std::size_t piece = 1; piece <= before.size(); ++piece) {
    receive_handshake handshake;
    const auto feed = [&](const std::string& all) {
      for (std::size_t at = 0; at < all.size(); at += piece) {
        CHECK(handshake.at() != stage::running);
        REQUIRE(handshake
                    .feed(as_bytes(all).subspan(
                        at, std::min(piece, all.size() - at)))
                    .has_value());
      }
    };
    feed(before);
    CHECK(handshake.at() == stage::ready);
    CHECK_FALSE(handshake.status().has_value());
    handshake.go_sent();
    feed(after);
    CHECK(handshake.at() == stage::running);
    CHECK(handshake.status() == 0U);
  }
}

TEST_CASE("xl that reports before GO was sent is not believed", "[xen]") {
  receive_handshake handshake;
  REQUIRE(handshake.feed(as_bytes(banner + ready)).has_value());
  CHECK_FALSE(handshake.feed(as_bytes(report + '\0')).has_value());
  CHECK(handshake.at() != stage::running);
}

TEST_CASE("each stage is told when its words are whole", "[xen]") {
  receive_handshake handshake;
  CHECK(handshake.at() == stage::waiting_for_banner);
  REQUIRE(handshake.feed(as_bytes(banner)).has_value());
  CHECK(handshake.at() == stage::restoring);
  REQUIRE(handshake.feed(as_bytes(ready).first(ready.size() - 1)).has_value());
  CHECK(handshake.at() == stage::restoring);
  REQUIRE(handshake.feed(as_bytes(ready).last(1)).has_value());
  CHECK(handshake.at() == stage::ready);
  CHECK_FALSE(handshake.status().has_value());
  handshake.go_sent();
  REQUIRE(handshake.feed(as_bytes(report)).has_value());
  CHECK(handshake.at() == stage::ready);
  REQUIRE(handshake.feed(as_bytes("\x03"s)).has_value());
  CHECK(handshake.at() == stage::failed);
  CHECK(handshake.status() == 3U);
  REQUIRE(handshake.feed(as_bytes(go)).has_value());
  CHECK(handshake.at() == stage::given_back);
  CHECK_FALSE(handshake.feed(as_bytes("x")).has_value());
}

TEST_CASE("anything else ends the handshake for good", "[xen]") {
  const std::vector<std::string> bad = {
      "y",
      ready,
      banner + banner,
      banner + ready + go,
      banner + "\0"s,
      banner + ready + report + "\0"s /* before GO */};
  for (const std::string& text : bad) {
    receive_handshake handshake;
    CHECK(handshake.feed(as_bytes(text)).error().code == errc::protocol);
    CHECK_FALSE(handshake.feed(as_bytes("")).has_value());
  }
  for (std::size_t at = 0; at < banner.size(); ++at) {
    std::string text = banner;
    text[at] = static_cast<char>(text[at] ^ 1);
    receive_handshake handshake;
    CHECK_FALSE(handshake.feed(as_bytes(text)).has_value());
  }
  receive_handshake talkative;
  talkative.go_sent();
  CHECK_FALSE(
      talkative.feed(as_bytes(banner + ready + report + "\0x"s)).has_value());
}

TEST_CASE("a failure may be reported before GO", "[xen]") {
  receive_handshake handshake;
  REQUIRE(handshake.feed(as_bytes(banner + ready + report + "\x01" + go))
              .has_value());
  CHECK(handshake.at() == stage::given_back);
}

TEST_CASE("the save header is xl's, byte for byte", "[xen]") {
  const byte_buffer header = save_header("{}");
  const std::string expected =
      "Xen saved domain, xl format\n \0 \r"  // 32 bytes
      "\x04\x03\x02\x01"                     // byte order
      "\x03\0\0\0"                           // JSON, stream v2
      "\0\0\0\0"                             // optional flags
      "\x07\0\0\0"                           // optional data
      "\x03\0\0\0"                           // configuration
      "{}\0"s;
  CHECK(as_text(header) == expected);
  CHECK(header.size() == 48 + 4 + 3);
  CHECK(as_text(permission_to_go()) == go);
}

TEST_CASE("a receiver is a process with three pipes", "[xen]") {
  using namespace std::chrono_literals;
  const script xl("echo \"$*\" >&2; read line; printf '%s' \"$line\"; exit 3");
  std::promise<void> said;
  xl_receiver_options options;
  options.xl = xl.path;
  options.paused = true;
  options.on_line = [&](std::string_view /*line*/) { said.set_value(); };
  auto started = xl_receiver::start(options);
  REQUIRE(started.has_value());
  xl_receiver& child = **started;
  CHECK(child.wait(0ms).error().code == errc::timeout);
  REQUIRE(::write(child.stdin_fd(), "hello\n", 6) == 6);
  CHECK(exchange(child) == "hello");
  CHECK(child.wait(10s).value() == 3);
  CHECK(child.wait(0ms).value() == 3);
  said.get_future().wait();
  CHECK(child.last_words() == "migrate-receive -p");
}

TEST_CASE("a receiver that has no input left ends", "[xen]") {
  const script xl("cat > /dev/null");
  xl_receiver_options options;
  options.xl = xl.path;
  auto started = xl_receiver::start(options);
  REQUIRE(started.has_value());
  (*started)->close_stdin();
  CHECK((*started)->wait(std::chrono::seconds(10)).value() == 0);
  options.xl = "/nonexistent/xl";
  CHECK(xl_receiver::start(options).error().code == errc::not_found);
}

TEST_CASE("xl can report and clean up when nobody reads any more", "[xen]") {
  const script xl("cat > /dev/null; printf report; exit 7");
  xl_receiver_options options;
  options.xl = xl.path;
  auto started = xl_receiver::start(options);
  REQUIRE(started.has_value());
  (*started)->take_stdout().reset();
  (*started)->close_stdin();
  CHECK((*started)->wait(std::chrono::seconds(30)).value() == 7);
}

TEST_CASE("libxl's save helper is known by its words", "[xen]") {
  const auto words = [](const std::string& mode, const std::string& domid) {
    return "/usr/lib/xen-4.17/bin/libxl-save-helper\0"s + mode +
           "\0"
           "12\0-1\0"s +
           domid + "\0"s + "1\0"s + "0\0"s;
  };
  CHECK(is_save_helper(words("--save-domain", "7"), 7));
  CHECK_FALSE(is_save_helper(words("--save-domain", "7"), 8));
  CHECK_FALSE(is_save_helper(words("--save-domain", "71"), 7));
  CHECK_FALSE(is_save_helper(words("--restore-domain", "7"), 7));
  CHECK_FALSE(is_save_helper("", 7));
  CHECK_FALSE(is_save_helper("libxl-save-helper\0--save-domain\0"s, 7));
}

TEST_CASE("a guardian that cannot work says so at once", "[xen]") {
  const char* call[] = {"p", "--guardian", "1", "u", "n", "/j"};
  CHECK(is_guardian_call(6, call));
  CHECK_FALSE(is_guardian_call(1, call));
  guardian_options options;
  options.program = "/bin/false";
  options.domid = 1;
  CHECK_FALSE(start_guardian(options).has_value());
  options.program = "/nonexistent";
  CHECK(start_guardian(options).error().code == errc::not_found);
}

}  // namespace teleport
