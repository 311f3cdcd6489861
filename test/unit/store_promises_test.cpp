// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/store_promises_test.cpp: a store's free space is promised once.

#include "xl-teleport/destination/store_promises.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

TEST_CASE("what a session has not written yet of its targets is no room",
          "[store]") {
  const temp_folder folder;
  std::filesystem::create_directory(folder / "store");
  auto store = open_store({disk_kind::file, folder / "store", "", false});
  auto book = disk_book::open(folder / "book");
  REQUIRE(store);
  REQUIRE(book);
  kept_disk entry;
  entry.guest = "web1";
  entry.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  entry.vdev = "xvda";
  entry.size = 8_MiB;
  entry.partial = folder / "store/web1-xvda";
  std::ofstream(entry.partial) << std::string(1_MiB, 'x');
  std::filesystem::resize_file(entry.partial, entry.size);
  REQUIRE(book->write(entry));
  const std::string run = folder / "run";
  guest_info other;
  other.uuid = "11111111-1111-4111-8111-111111111111";
  const auto promised = [&](const guest_info& guest) {
    const auto bytes = promised_to_others(guest, *book, **store, run);
    REQUIRE(bytes);
    return *bytes;
  };
  CHECK(promised(other) == 0);  // nobody fills it
  {
    const auto session = lock_guest(run, entry.uuid);
    REQUIRE(session);
    CHECK(promised(other) > 6_MiB);
    CHECK(promised(other) <= 7_MiB);
    guest_info own;
    own.uuid = entry.uuid;
    CHECK(promised(own) == 0);
  }
  CHECK(promised(other) == 0);
}

}  // namespace teleport
