// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/thin_test.cpp: a real thin pool: only what is provisioned is read,
// and the pool's metadata snapshot is left as it was found.

#include <sstream>

#include <unistd.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/thin_volume.hpp"
#include "test/support/root_devices.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

std::string name_of(const mapped_disk& disk) {
  return disk.path().substr(std::string("/dev/mapper/").size());
}

void message(const mapped_disk& pool, const std::string& text) {
  REQUIRE(run_program({"dmsetup", "message", name_of(pool), "0", text}));
}

std::string status(const mapped_disk& pool) {
  const auto text = run_program({"dmsetup", "status", name_of(pool)});
  REQUIRE(text);
  return *text;
}

/// The field of a pool's status that says where its snapshot is: "-" is none.
bool is_reserved(const mapped_disk& pool) {
  std::istringstream words(status(pool));
  std::string word;
  for (int i = 0; i < 7; ++i) {
    words >> word;
  }
  return word != "-";
}

void write_extent(const std::string& device, std::uint64_t extent) {
  auto disk = open_device(device, open_mode::read_write);
  REQUIRE(disk);
  const byte_buffer block = block_of_content(extent + 1);
  aligned_buffer aligned(block.size());
  std::ranges::copy(block, aligned.span().begin());
  REQUIRE((*disk)->write_at(extent * extent_bytes, aligned.span()));
  REQUIRE((*disk)->flush());
}

}  // namespace

TEST_CASE("of a thin volume only what is provisioned is read", "[root][thin]") {
  if (!can_use_device_mapper("thin-pool")) {
    return;
  }
  const loop_disk metadata("8");
  const loop_disk data("64");
  // 64 MiB in chunks of 64 KiB.
  const mapped_disk pool(
      "pool",
      "0 131072 thin-pool " + metadata.path() + " " + data.path() + " 128 0");
  message(pool, "create_thin 0");
  const mapped_disk volume("volume", "0 131072 thin " + pool.path() + " 0");
  const temp_folder folder;
  const auto tables = open_store(folder / "index");

  const auto empty = provisioned_parts(volume.path(), 64_MiB, nullptr);
  REQUIRE(empty);
  REQUIRE(*empty);
  CHECK((*empty)->empty());
  CHECK(scan(*tables, volume.path()).read_bytes == 0);

  write_extent(volume.path(), 3);
  write_extent(volume.path(), 40);
  const auto parts = provisioned_parts(volume.path(), 64_MiB, nullptr);
  REQUIRE(parts);
  REQUIRE(*parts);
  CHECK((*parts)->extents() == 2);
  CHECK((*parts)->next_extent(0) == 3);
  CHECK((*parts)->next_extent(4) == 40);
  CHECK_FALSE(is_reserved(pool));
  const auto report = scan(*tables, volume.path());
  CHECK(report.read_bytes == 2_MiB);
  CHECK(report.hole_bytes == 62_MiB);
  CHECK(report.disk.data_blocks == 2);

  // Another's snapshot stays, and all of the disk is read.
  message(pool, "reserve_metadata_snap");
  expect_warnings();
  CHECK(provisioned_parts(volume.path(), 64_MiB, nullptr).error().code ==
        errc::busy);
  CHECK(is_reserved(pool));
  const auto whole = scan(*tables, volume.path());
  CHECK(whole.read_bytes == 64_MiB);
  CHECK(whole.disk.data_blocks == 2);
  CHECK(whole.changed_groups == 0);
  message(pool, "release_metadata_snap");

  // What an external origin shows is not zeros.
  message(pool, "create_thin 1");
  const loop_disk origin("64");
  const mapped_disk over(
      "over", "0 131072 thin " + pool.path() + " 1 " + origin.path());
  const auto unknown = provisioned_parts(over.path(), 64_MiB, nullptr);
  REQUIRE(unknown);
  CHECK_FALSE(*unknown);
  const auto plain = provisioned_parts(origin.path(), 64_MiB, nullptr);
  REQUIRE(plain);
  CHECK_FALSE(*plain);
}

}  // namespace teleport::index
