// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/power_cut_test.cpp: what every promise about small files, keys and
// disks is worth when the power goes at any moment.

#include "test/support/power_cut.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>
#include <string>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/identity.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

using test::power_cut;

std::string text_of(const std::string& path) {
  const auto text = read_small_file(path, 1U << 20U);
  return text ? *text : std::string("none");
}

const std::string some_id = "0123456789abcdef0123456789abcdef";

journal_entry entry_of(journal_state state) {
  journal_entry entry;
  entry.id = some_id;
  entry.role = journal_role::destination;
  entry.state = state;
  entry.guest = "web1";
  return entry;
}

kept_disk kept(const std::string& vdev, const std::string& partial) {
  kept_disk disk;
  disk.guest = "web1";
  disk.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  disk.vdev = vdev;
  disk.size = 4096;
  disk.partial = partial;
  return disk;
}

}  // namespace

TEST_CASE("the recorder itself sees a missing sync", "[durable]") {
  const temp_folder folder;
  const std::string file = folder / "a";
  std::set<std::string> seen;
  power_cut record(folder.path());
  REQUIRE(write_durably(file, "whole", 0600));
  REQUIRE(std::rename(file.c_str(), (folder / "b").c_str()) == 0);
  record.promise();
  record.replay([&](const std::string& image, std::size_t promised) {
    if (promised == 1) {
      seen.insert(text_of(image + "/a") + " " + text_of(image + "/b"));
    }
  });
  CHECK(seen == std::set<std::string>{"whole none", "none whole"});
}

TEST_CASE("a small file is the old or the new one, and the new one once told",
          "[durable]") {
  const temp_folder folder;
  const std::string file = folder / "a";
  REQUIRE(write_durably(file, "old content", 0600));
  power_cut record(folder.path());
  REQUIRE(write_durably(file, "the new content", 0600));
  record.promise();
  const auto images =
      record.replay([&](const std::string& image, std::size_t promised) {
        const std::string text = text_of(image + "/a");
        CHECK((text == "the new content" ||
               (promised == 0 && text == "old content")));
      });
  CHECK(images > 4);
}

TEST_CASE("a removed file does not come back once told", "[durable]") {
  const temp_folder folder;
  REQUIRE(write_durably(folder / "a", "content", 0600));
  power_cut record(folder.path());
  REQUIRE(remove_durably(folder / "a"));
  record.promise();
  record.replay([&](const std::string& image, std::size_t promised) {
    const std::string text = text_of(image + "/a");
    CHECK((text == "none" || (promised == 0 && text == "content")));
  });
}

TEST_CASE("what the journal has promised is there after a loss of power",
          "[durable][journal]") {
  const temp_folder folder;
  const journal_state states[] = {journal_state::building,
                                  journal_state::ready,
                                  journal_state::go,
                                  journal_state::running};
  power_cut record(folder.path());
  auto entries = journal::open(folder / "lib/journal");
  REQUIRE(entries);
  for (const journal_state state : states) {
    REQUIRE(entries->write(entry_of(state)));
    record.promise();
  }
  REQUIRE(entries->remove(some_id, journal_role::destination));
  record.promise();
  const auto images =
      record.replay([&](const std::string& image, std::size_t promised) {
        auto found = journal::open(image + "/lib/journal");
        REQUIRE(found);
        const auto entry = found->read(some_id, journal_role::destination);
        INFO("after promise " << promised);
        REQUIRE(entry);  // never torn
        const bool may_be_gone = promised == 0 || promised >= std::size(states);
        REQUIRE((entry->has_value() || may_be_gone));
        if (*entry) {
          const journal_state state = (*entry)->state;
          CHECK(promised <= std::size(states));
          CHECK(((promised > 0 && state == states[promised - 1]) ||
                 (promised < std::size(states) && state == states[promised])));
        }
      });
  CHECK(images > 20);
}

TEST_CASE("the book of disks never forgets and never tears an entry",
          "[durable]") {
  const temp_folder folder;
  power_cut record(folder.path());
  auto book = disk_book::open(folder / "lib/disks");
  REQUIRE(book);
  REQUIRE(book->write(kept("xvda", "first")));
  record.promise();
  REQUIRE(book->write(kept("xvdb", "second")));
  record.promise();
  REQUIRE(book->write(kept("xvda", "third")));
  record.promise();
  REQUIRE(book->remove(kept("xvdb", "").uuid, "xvdb"));
  record.promise();
  record.replay([&](const std::string& image, std::size_t promised) {
    const auto found = disk_book::open(image + "/lib/disks");
    REQUIRE(found);
    const auto partial = [&](const std::string& vdev) {
      const auto entry = found->find(kept(vdev, "").uuid, vdev);
      REQUIRE(entry);  // never torn
      return *entry ? (*entry)->partial : std::string("none");
    };
    using names = std::set<std::string>;
    const names first[] = {
        {"none", "first"}, {"first"}, {"first", "third"}, {"third"}, {"third"}};
    const names second[] = {
        {"none"}, {"none", "second"}, {"second"}, {"second", "none"}, {"none"}};
    INFO("after promise " << promised);
    CHECK(first[promised].contains(partial("xvda")));
    CHECK(second[promised].contains(partial("xvdb")));
  });
}

TEST_CASE("a host's key and its peers outlive a loss of power", "[durable]") {
  const temp_folder folder;
  const auto files_in = [](const std::string& at) {
    return key_files{at + "/etc/host.crt", at + "/etc/host.key", at + "/etc/p"};
  };
  const key_files files = files_in(folder.path());
  power_cut record(folder.path());
  REQUIRE(make_identity(files, "host1"));
  record.promise();
  const std::string certificate = text_of(files.certificate);
  const std::string key = text_of(files.key);
  REQUIRE(pin_peer(files.peers, "host2", certificate));
  record.promise();
  record.replay([&](const std::string& image, std::size_t promised) {
    const key_files found = files_in(image);
    INFO("after promise " << promised);
    const bool has_certificate = text_of(found.certificate) != "none";
    if (promised > 0 || has_certificate) {
      // Never a certificate without its key, nor half of one.
      CHECK(text_of(found.certificate) == certificate);
      CHECK(text_of(found.key) == key);
    }
    const auto peers = pinned_peers::load(found.peers);
    REQUIRE(peers);
    CHECK((promised < 2 || !peers->empty()));
  });
}

TEST_CASE("an unpaired host is not known again after a loss of power",
          "[durable]") {
  const temp_folder folder;
  const key_files files{folder / "host.crt", folder / "host.key", folder / "p"};
  REQUIRE(make_identity(files, "host1"));
  REQUIRE(pin_peer(files.peers, "host2", text_of(files.certificate)));
  power_cut record(folder.path());
  REQUIRE(unpin_peer(files.peers, "host2"));
  record.promise();
  record.replay([](const std::string& image, std::size_t promised) {
    const auto peers = pinned_peers::load(image + "/p");
    REQUIRE(peers);
    CHECK((promised == 0 || peers->empty()));
  });
}

TEST_CASE("what a disk's flush has promised is on it", "[durable][disk]") {
  constexpr std::size_t blocks = 4;
  const temp_folder folder;
  const std::string file = folder / "disk";
  REQUIRE(write_durably(file, std::string(blocks * block_bytes, '\0'), 0600));
  auto device = open_device(file, open_mode::read_write);
  REQUIRE(device);
  const auto write = [&](std::size_t block, char with) {
    aligned_buffer bytes(block_bytes);
    std::ranges::fill(bytes.span(), static_cast<std::byte>(with));
    REQUIRE((*device)->write_at(block * block_bytes, bytes.span()));
  };
  power_cut record(folder.path());
  write(0, 'a');
  write(1, 'b');
  REQUIRE((*device)->flush());
  record.promise();
  write(1, 'c');
  REQUIRE((*device)->zero_at(0, block_bytes));
  REQUIRE((*device)->flush());
  record.promise();
  record.replay([&](const std::string& image, std::size_t promised) {
    const std::string text = text_of(image + "/disk");
    REQUIRE(text.size() == blocks * block_bytes);
    const auto is = [&](std::size_t block, char with) {
      return text.substr(block * block_bytes, block_bytes) ==
             std::string(block_bytes, with);
    };
    INFO("after promise " << promised);
    if (promised == 2) {
      CHECK(is(0, '\0'));
      CHECK(is(1, 'c'));
    }
    CHECK(is(2, '\0'));
  });
}

}  // namespace teleport
