// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/before_images_test.cpp: what a rebuild overwrites is kept, up to a
// bound, and found by content.

#include "libteleport/disk/before_images.hpp"

#include <algorithm>
#include <filesystem>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

/// Blocks that differ from each other.
byte_buffer some_blocks(std::size_t count, std::byte first) {
  byte_buffer bytes(count * block_bytes, first);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i * block_bytes] = static_cast<std::byte>(i);
  }
  return bytes;
}

byte_span block_at(const byte_buffer& bytes, std::size_t i) {
  return byte_span(bytes).subspan(i * block_bytes, block_bytes);
}

}  // namespace

TEST_CASE("what is overwritten is found by its content", "[disk]") {
  const temp_folder folder;
  const auto made = before_images::create(folder.path());
  REQUIRE(made);
  before_images& images = **made;
  const byte_buffer blocks = some_blocks(9, std::byte{5});
  images.keep(blocks);
  images.keep(blocks);
  CHECK(images.size() == blocks.size());
  byte_buffer out(block_bytes);
  for (std::size_t i = 0; i < 9; ++i) {
    REQUIRE(images.find(digest_block(block_at(blocks, i)), out));
    CHECK(std::ranges::equal(out, block_at(blocks, i)));
  }
  CHECK_FALSE(images.find(digest_block(some_blocks(1, std::byte{6})), out));
  // A name would outlive a process that is killed.
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("zeros and a short last block are not kept", "[disk]") {
  const temp_folder folder;
  const auto made = before_images::create(folder.path());
  REQUIRE(made);
  byte_buffer bytes(3 * block_bytes);
  (*made)->keep(bytes);
  (*made)->keep(byte_buffer(512, std::byte{1}));
  CHECK((*made)->size() == 0);
}

TEST_CASE("no more is kept than allowed", "[disk]") {
  const temp_folder folder;
  const auto made = before_images::create(folder.path(), 8 * block_bytes);
  REQUIRE(made);
  before_images& images = **made;
  const byte_buffer first = some_blocks(6, std::byte{1});
  const byte_buffer second = some_blocks(3, std::byte{2});
  images.keep(first);
  images.keep(second);
  CHECK(images.size() == first.size());
  byte_buffer out(block_bytes);
  CHECK(images.find(digest_block(block_at(first, 5)), out));
  CHECK_FALSE(images.find(digest_block(block_at(second, 0)), out));
}

TEST_CASE("a folder that takes no files is an error", "[disk]") {
  const auto made = before_images::create("/proc");
  REQUIRE_FALSE(made);
  CHECK(made.error().code == errc::system);
}

}  // namespace teleport
