// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/placement_flush_test.cpp: DISKS_DURABLE is said after
// placement::flush(): by then nothing that was written to a target may be in
// a cache alone.

#include <filesystem>
#include <set>
#include <string>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/io_hooks.hpp"
#include "test/support/print_error.hpp"
#include "test/support/root_devices.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/destination/placement.hpp"

namespace teleport {

namespace {

/// Which devices were written since their last sync.
class unsynced_devices final : public test::io_observer {
 public:
  int writing(int fd, std::uint64_t /*at*/, std::string /*bytes*/) override {
    if (const std::string path = test::path_of(fd); path.starts_with("/dev/")) {
      names_.insert(path);
    }
    return 0;
  }
  void synced(int fd) override { names_.erase(test::path_of(fd)); }
  [[nodiscard]] std::size_t count() const { return names_.size(); }

 private:
  std::set<std::string> names_;
};

guest_info guest_with_two_disks() {
  guest_info guest;
  guest.name = "web1";
  guest.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  for (const char* vdev : {"xvda", "xvdb"}) {
    guest_disk disk;
    disk.vdev = vdev;
    disk.size = 1_MiB;
    disk.configured_path = std::string("/dev/vg0/") + vdev;
    guest.disks.push_back(disk);
  }
  return guest;
}

}  // namespace

TEST_CASE("a placement's flush leaves nothing of any target in a cache",
          "[root][durable][disk]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const temp_folder folder;
  std::filesystem::create_directory(folder / "store");
  auto store = open_store({disk_kind::file, folder / "store", "", false});
  REQUIRE(store);
  auto book = disk_book::open(folder / "book");
  REQUIRE(book);
  auto claims = guest_claims::take(folder / "run", guest_with_two_disks());
  REQUIRE(claims);
  auto placed = placement::make(guest_with_two_disks(),
                                {**store, *book, *claims, {"host", "key"}},
                                kept_review());
  REQUIRE(placed);
  {
    const unsynced_devices trace;
    aligned_buffer bytes(block_bytes);
    for (const target_disk& target : (*placed)->targets()) {
      REQUIRE(target.device->write_at(0, bytes.span()));
    }
    CHECK(trace.count() == 2);
    REQUIRE((*placed)->flush());
    CHECK(trace.count() == 0);
  }
  CHECK((*placed)->put_back());
  for (const char* name : {"store/web1-xvda", "store/web1-xvdb"}) {
    const auto left = (*store)->open(folder / name);
    REQUIRE(left);
    CHECK((*store)->remove(*left));
  }
}

}  // namespace teleport
