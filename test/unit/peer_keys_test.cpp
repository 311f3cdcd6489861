// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/peer_keys_test.cpp: a host that renews its key stays the host that
// it was, and is let in by the keys of its file and by no other.

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "libteleport/net/identity.hpp"
#include "libteleport/net/key_pair.hpp"
#include "libteleport/net/peer_certificates.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/peer_pairing.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {
namespace {

/// Certificates of one key each, by a name.
class some_keys {
 public:
  [[nodiscard]] std::string pem(const std::string& name) {
    auto& text = pems_[name];
    if (text.empty()) {
      text = make_key_pair(name)->certificate;
    }
    return text;
  }
  [[nodiscard]] std::string key(const std::string& name) {
    return *fingerprint_of(pem(name));
  }
  [[nodiscard]] host_certificate one(const std::string& name) {
    return {key(name), pem(name)};
  }

 private:
  std::map<std::string, std::string> pems_;
};

/// A host's folder of peers.
class folder_of_peers : public some_keys {
 public:
  [[nodiscard]] std::string path() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path() + "/" + name + ".crt") << text;
  }
  /// The name of the host that is let in with a key; empty: nobody is.
  [[nodiscard]] std::string let_in(const std::string& key_name) {
    const auto peers = pinned_peers::load(path());
    REQUIRE(peers);
    const auto host = peers->host_of(key(key_name));
    return host ? *peers->name_of(*host) : std::string();
  }
  /// The key that it was first paired with; empty: it is not let in.
  [[nodiscard]] std::string identity(const std::string& key_name) {
    const auto peers = pinned_peers::load(path());
    REQUIRE(peers);
    const std::string found = peers->host_of(key(key_name)).value_or("");
    for (const char* name : {"old", "new", "newer", "other"}) {
      if (found == key(name)) {
        return name;
      }
    }
    return found;
  }
  result<peer_files> renew(const std::vector<std::string>& accepted,
                           const std::vector<std::string>& past) {
    renewed_keys shown;
    for (const std::string& name : accepted) {
      shown.accepted.push_back(one(name));
    }
    for (const std::string& name : past) {
      shown.past.push_back(one(name));
    }
    return renew_peer(path(), shown);
  }

 private:
  temp_folder folder_;
};

bool says(const error& cause, const std::string& words) {
  return cause.context.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a file of several certificates says whose they are", "[peers]") {
  some_keys keys;
  const std::string both = keys.pem("old") + keys.pem("new");
  const auto plain = read_peer_certificates(keys.pem("old"));
  REQUIRE(plain);
  CHECK(plain->first_key == keys.key("old"));
  CHECK_FALSE(plain->says_whose);
  CHECK(text_of(*plain) == keys.pem("old"));

  const auto two = read_peer_certificates(both);
  REQUIRE(two);
  CHECK(two->first_key == keys.key("old"));
  CHECK(two->accepted.size() == 2);

  const auto renewed = read_peer_certificates("first-key: " + keys.key("old") +
                                              "\n" + keys.pem("new"));
  REQUIRE(renewed);
  CHECK(renewed->first_key == keys.key("old"));
  REQUIRE(renewed->accepted.size() == 1);
  CHECK(renewed->accepted.front().key == keys.key("new"));
  const auto again = read_peer_certificates(text_of(*renewed));
  REQUIRE(again);
  CHECK(again->first_key == renewed->first_key);
  CHECK(again->accepted.front().key == renewed->accepted.front().key);
}

TEST_CASE("a file of certificates that is wrong lets nobody in", "[peers]") {
  folder_of_peers peers;
  const std::string old = peers.pem("old");
  const std::string many = old + peers.pem("new") + peers.pem("newer") +
                           peers.pem("other") + peers.pem("fifth");
  std::string torn = peers.pem("new");
  torn.resize(torn.size() / 2);
  std::string damaged = peers.pem("new");
  damaged[damaged.size() / 2] = '*';
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {many, "more than 4"},
      {old + torn, "not a PEM"},
      {old + damaged, "not a PEM"},
      {"first-key: 00\n" + old, "'first-key:'"},
      {"# mine\nfirst-key: \n" + old, "'first-key:'"},
      {"first-key: " + std::string(64, 'G') + "\n" + old, "'first-key:'"},
      {"first-key: " + std::string(64, '0') + "\n", "not a PEM"},
      {"", "not a PEM"},
  };
  for (const auto& [text, words] : wrong) {
    INFO(words);
    const auto read = read_peer_certificates(text);
    REQUIRE_FALSE(read);
    CHECK(says(read.error(), words));
    peers.write("host2", text);
    CHECK(peers.let_in("old").empty());
    CHECK(peers.let_in("new").empty());
  }
}

TEST_CASE("a folder or a file that others may write lets nobody in",
          "[peers]") {
  folder_of_peers peers;
  peers.write("host2", peers.pem("old"));
  const auto is_let_in = [&peers] {
    const auto loaded = pinned_peers::load(peers.path());
    return loaded && loaded->host_of(peers.key("old"));
  };
  REQUIRE(is_let_in());
  for (const std::string& path : {peers.path(), peers.path() + "/host2.crt"}) {
    for (const mode_t wrong : {mode_t{0720}, mode_t{0702}}) {
      REQUIRE(::chmod(path.c_str(), wrong) == 0);
      CHECK_FALSE(is_let_in());
    }
    REQUIRE(::chmod(path.c_str(), 0744) == 0);
    CHECK(is_let_in());
  }
}

TEST_CASE("a certificate that stands twice in a file is one", "[peers]") {
  some_keys keys;
  std::string text;
  for (std::size_t i = 0; i < most_keys; ++i) {
    text += keys.pem("old") + keys.pem("new");
  }
  const auto read = read_peer_certificates(text);
  REQUIRE(read);
  CHECK(read->accepted.size() == 2);
}

TEST_CASE(
    "a host that renews its key has both, then the new one, and stays "
    "the same host",
    "[peers]") {
  folder_of_peers peers;
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
  REQUIRE(add_peer(peers.path(), "10.0.0.2", peers.pem("old"), false));
  REQUIRE(add_peer(peers.path(), "host3", peers.pem("other"), false));
  REQUIRE(write_peer_limits(peers.path(), "host2", {}));

  REQUIRE(peers.renew({"old", "new"}, {}));
  CHECK(peers.identity("old") == "old");
  CHECK(peers.identity("new") == "old");

  const auto files = peers.renew({"new"}, {"old"});
  REQUIRE(files);
  CHECK(files->size() == 2);
  CHECK(peers.identity("old").empty());
  CHECK(peers.identity("new") == "old");
  CHECK(peers.identity("other") == "other");
  CHECK(rights_of_peer(peers.path(), peers.key("old")).is_limited());

  // Once more, and told again, as after a crash.
  REQUIRE(peers.renew({"new", "newer"}, {}));
  REQUIRE(peers.renew({"new", "newer"}, {}));
  REQUIRE(peers.renew({"newer"}, {"new"}));
  CHECK(peers.identity("new").empty());
  CHECK(peers.identity("newer") == "old");
}

TEST_CASE("a host that missed a renewal knows the other by a past key",
          "[peers]") {
  folder_of_peers peers;
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
  REQUIRE(peers.renew({"newer"}, {"new", "old"}));
  CHECK(peers.identity("old").empty());
  CHECK(peers.identity("newer") == "old");
}

TEST_CASE("a renewal of unknown keys, or of two hosts', changes nothing",
          "[peers]") {
  folder_of_peers peers;
  const auto unknown = peers.renew({"old", "new"}, {});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == errc::not_found);
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
  REQUIRE(add_peer(peers.path(), "host3", peers.pem("other"), false));
  const auto two = peers.renew({"old", "other"}, {});
  REQUIRE_FALSE(two);
  CHECK(two.error().code == errc::refused);
  CHECK_FALSE(peers.renew({}, {"old"}));
  // Nor a key that the other host has renewed.
  REQUIRE(peers.renew({"newer"}, {"other"}));
  CHECK_FALSE(peers.renew({"old", "other"}, {}));
  CHECK(peers.let_in("old") == "host2");
  CHECK(peers.let_in("newer") == "host3");
  CHECK(peers.let_in("other").empty());
}

TEST_CASE("a host that is paired again while it renews its key has both",
          "[peers]") {
  folder_of_peers peers;
  const std::string both = peers.pem("old") + peers.pem("new");
  SECTION("it was known") {
    REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
    REQUIRE(add_peer(peers.path(), "10.0.0.2", peers.pem("old"), false));
  }
  SECTION("it was not") {}
  REQUIRE(add_peer(peers.path(), "host2", both, false));
  CHECK(peers.identity("old") == "old");
  CHECK(peers.identity("new") == "old");
  // After the switch it shows the new one alone, under whatever name.
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("new"), false));
  REQUIRE(add_peer(peers.path(), "HOST2", peers.pem("new"), false));
  REQUIRE(add_peer(peers.path(), "host2.example", peers.pem("new"), false));
  CHECK(peers.identity("old").empty());
  CHECK(peers.identity("new") == "old");
  CHECK(files_of_host(*read_peer_files(peers.path()), "host2").size() >= 3);
}

TEST_CASE("a host that shows another's certificate is not let in as that host",
          "[peers]") {
  folder_of_peers peers;
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
  SECTION("as its next one") {
    CHECK_FALSE(add_peer(
        peers.path(), "evil", peers.pem("evil") + peers.pem("old"), false));
  }
  SECTION("as its present one, under a new name") {
    REQUIRE(add_peer(
        peers.path(), "evil", peers.pem("old") + peers.pem("evil"), false));
  }
  SECTION("as its present one, under its own name") {
    REQUIRE(add_peer(peers.path(), "evil", peers.pem("evil"), false));
    const std::string claim = peers.pem("old") + peers.pem("evil");
    CHECK_FALSE(add_peer(peers.path(), "evil", claim, false));
    REQUIRE(add_peer(peers.path(), "evil", claim, true));
  }
  SECTION("as its next one, paired already") {
    REQUIRE(add_peer(peers.path(), "evil", peers.pem("evil"), false));
    CHECK_FALSE(add_peer(
        peers.path(), "evil", peers.pem("evil") + peers.pem("old"), false));
    CHECK(peers.identity("evil") == peers.key("evil"));
  }
  CHECK(peers.identity("old") == "old");
  CHECK(peers.identity("evil") != "old");
}

TEST_CASE("files that contradict each other let nobody in by what they dispute",
          "[peers]") {
  folder_of_peers peers;
  const std::string line = "first-key: " + peers.key("old") + "\n";
  peers.write("host2", line + peers.pem("new"));
  SECTION("a copy by hand of the key that was renewed") {
    peers.write("copy", peers.pem("old"));
    CHECK(peers.let_in("old").empty());
    CHECK(peers.let_in("new") == "host2");
  }
  SECTION("a copy by hand of the new key is the same host") {
    peers.write("copy", peers.pem("new"));
    CHECK(peers.identity("new") == "old");
    CHECK(read_peer_files(peers.path())->size() == 2);
  }
  SECTION("two hosts say that a key is theirs") {
    peers.write("host3",
                "first-key: " + peers.key("other") + "\n" + peers.pem("new"));
    CHECK(peers.let_in("new").empty());
  }
  SECTION("a host has what was the first key of another") {
    peers.write("host3", peers.pem("other") + peers.pem("old"));
    CHECK(peers.let_in("old").empty());
    CHECK(peers.let_in("other").empty());
  }
}

TEST_CASE("unpairing a host removes all its keys, by whichever it is named",
          "[peers]") {
  folder_of_peers peers;
  REQUIRE(add_peer(peers.path(), "host2", peers.pem("old"), false));
  REQUIRE(add_peer(peers.path(), "10.0.0.2", peers.pem("old"), false));
  REQUIRE(peers.renew({"old", "new"}, {}));
  // By a name, by the first key, and by the newest.
  const int way = GENERATE(0, 1, 2);
  const std::string named = way == 0   ? "host2"
                            : way == 1 ? peers.key("old").substr(0, 12)
                                       : peers.key("new");
  const auto removed = remove_peer(peers.path(), named);
  REQUIRE(removed);
  CHECK(removed->size() == 2);
  CHECK(peers.let_in("old").empty());
  CHECK(peers.let_in("new").empty());
}

}  // namespace teleport
