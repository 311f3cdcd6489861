// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/own_keys_test.cpp: this host has one key at every instant of a
// renewal, also when the power goes, and the renewal can go on from there.

#include "libteleport/net/own_keys.hpp"

#include <filesystem>
#include <string>

#include <sys/stat.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/identity.hpp"
#include "test/support/catch.hpp"
#include "test/support/power_cut.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "test/support/two_ends.hpp"

namespace teleport {
namespace {

key_files files_in(const std::string& folder) {
  return {folder + "/host.crt", folder + "/host.key", folder + "/peers"};
}

std::string key_of(const key_files& files) {
  const auto keys = read_own_keys(files);
  REQUIRE(keys);
  return keys->present.key;
}

}  // namespace

TEST_CASE("the next key lies beside the present one, and replaces it",
          "[peers]") {
  const temp_folder folder;
  const key_files files = files_in(folder.path());
  REQUIRE(make_identity(files, "host1"));
  const std::string old = key_of(files);
  CHECK_FALSE(use_next_key(files));
  REQUIRE(make_next_key(files, "host1"));
  const auto both = read_own_keys(files);
  REQUIRE(both);
  CHECK(both->present.key == old);
  REQUIRE(both->next);
  CHECK(both->accepted().size() == 2);
  // Made once: peers may have it already.
  REQUIRE(make_next_key(files, "host1"));
  CHECK(read_own_keys(files)->next->key == both->next->key);
  struct stat file {};
  REQUIRE(::stat((files.key + ".next").c_str(), &file) == 0);
  CHECK((file.st_mode & 07777U) == 0600);

  REQUIRE(use_next_key(files));
  const auto after = read_own_keys(files);
  REQUIRE(after);
  CHECK(after->present.key == both->next->key);
  CHECK_FALSE(after->next);
  REQUIRE(after->past.size() == 1);
  CHECK(after->past.front().key == old);
  CHECK(*fingerprint_of(*read_small_file(files.certificate, 64_KiB)) ==
        after->present.key);
  REQUIRE(::stat(files.key.c_str(), &file) == 0);
  CHECK((file.st_mode & 07777U) == 0600);
  REQUIRE(forget_past_keys(files));
  CHECK(read_own_keys(files)->past.empty());
  REQUIRE(make_identity(files, "host1"));
  CHECK(key_of(files) == both->next->key);
}

TEST_CASE("keys of the past are told, the newest first, and so many",
          "[peers]") {
  const temp_folder folder;
  const key_files files = files_in(folder.path());
  REQUIRE(make_identity(files, "host1"));
  std::string last;
  for (std::size_t i = 0; i < most_past_keys + 2; ++i) {
    last = key_of(files);
    REQUIRE(make_next_key(files, "host1"));
    REQUIRE(use_next_key(files));
  }
  const auto keys = read_own_keys(files);
  REQUIRE(keys);
  CHECK(keys->past.size() == most_past_keys);
  CHECK(keys->past.front().key == last);
}

TEST_CASE(
    "a renewed key outlives a loss of power, and so does the old one "
    "before it",
    "[durable][peers]") {
  const temp_folder folder;
  const key_files files = files_in(folder.path());
  REQUIRE(make_identity(files, "host1"));
  const std::string old = key_of(files);
  test::power_cut record(folder.path());
  REQUIRE(make_next_key(files, "host1"));
  record.promise();  // peers are told of it
  const std::string next = read_own_keys(files)->next->key;
  REQUIRE(use_next_key(files));
  record.promise();
  REQUIRE(forget_past_keys(files));
  const auto images =
      record.replay([&](const std::string& image, std::size_t promised) {
        INFO("after promise " << promised);
        const key_files found = files_in(image);
        // An image has the files' contents, and not their modes.
        for (const char* end : {"", ".new", ".next", ".next.new"}) {
          static_cast<void>(::chmod((found.key + end).c_str(), 0600));
        }
        const auto keys = read_own_keys(found);
        REQUIRE(keys);
        const bool is_switched = keys->present.key == next;
        CHECK((is_switched || keys->present.key == old));
        CHECK((promised < 2 || is_switched));
        // Who was told of the next one is not told of another.
        CHECK((promised < 1 || is_switched ||
               (keys->next && keys->next->key == next)));
        REQUIRE(finish_switch(found));
        if (!is_switched && keys->next) {
          REQUIRE(use_next_key(found));
          const auto after = read_own_keys(found);
          REQUIRE(after);
          CHECK(after->present.key == next);
          CHECK(after->past.size() == 1);
        }
        CHECK(*fingerprint_of(*read_small_file(found.certificate, 64_KiB)) ==
              key_of(found));
      });
  CHECK(images > 5);
}

TEST_CASE(
    "a link is made with the key that is in use, and by both while they "
    "are accepted",
    "[net][peers]") {
  paired_hosts hosts;
  const key_files& own = hosts.source;
  const std::string folder = hosts.destination.peers;
  const std::string old = key_of(own);
  key_files stolen = own;
  stolen.certificate += ".stolen";
  stolen.key += ".stolen";
  std::filesystem::copy(own.certificate, stolen.certificate);
  std::filesystem::copy(own.key, stolen.key);
  REQUIRE(make_next_key(own, "source"));
  const auto keys = read_own_keys(own);
  REQUIRE(keys);
  REQUIRE(pin_peer(folder, "source", text_of({old, keys->accepted(), true})));
  const auto identity_of_link = [&] {
    const linked_ends ends(hosts);
    return ends.destination().peer_key();
  };
  CHECK(identity_of_link() == old);
  REQUIRE(use_next_key(own));
  CHECK(identity_of_link() == old);
  REQUIRE(pin_peer(folder, "source", text_of({old, {*keys->next}, true})));
  CHECK(identity_of_link() == old);
  // The old one is nobody's any more, though it is the host's identity.
  hosts.source = stolen;
  const two_ends refused(hosts);
  REQUIRE(refused.destination_link);
  CHECK_FALSE(*refused.destination_link);
}

}  // namespace teleport
