// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/block_packer_test.cpp: blocks compressed for the link and back.

#include "libteleport/wire/block_packer.hpp"

#include <algorithm>
#include <random>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

byte_buffer noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  byte_buffer bytes(size);
  std::ranges::generate(bytes,
                        [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

byte_buffer text(std::size_t size) {
  byte_buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>("the same old song "[i % 18]);
  }
  return bytes;
}

}  // namespace

TEST_CASE("what was packed unpacks to itself, in order", "[wire]") {
  block_packer packer;
  block_unpacker unpacker;
  for (const int level : {3, 0, 3, 9, 1}) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, 512UL, block_bytes, extent_bytes}) {
      for (const byte_buffer& raw : {noise(size, size), text(size)}) {
        const packed coded = packer.pack(raw, level);
        CHECK(coded.bytes.size() <= max_payload_bytes);
        CHECK((level != 0 || coded.coding == data_coding::plain));
        byte_buffer back(size, std::byte{0x5a});
        REQUIRE(unpacker.unpack(coded.bytes, coded.coding, back));
        CHECK(back == raw);
      }
    }
  }
}

TEST_CASE("what was sent far back costs little the second time", "[wire]") {
  block_packer packer;
  const byte_buffer first = noise(extent_bytes, 1);
  (void)packer.pack(first, 3);
  for (std::uint64_t i = 2; i < 20; ++i) {
    (void)packer.pack(noise(extent_bytes, i), 3);
  }
  CHECK(packer.pack(first, 3).bytes.size() < extent_bytes / 100);
}

TEST_CASE("unpack wants exactly the announced size", "[wire]") {
  const byte_buffer raw = text(3 * block_bytes);
  for (const std::size_t wrong :
       {std::size_t{0}, raw.size() - 1, raw.size() + 1, 2 * raw.size()}) {
    block_packer packer;
    block_unpacker unpacker;
    const packed coded = packer.pack(raw, 3);
    REQUIRE(coded.coding == data_coding::streamed);
    byte_buffer out(wrong);
    CHECK_FALSE(unpacker.unpack(raw, data_coding::plain, out));
    const auto unpacked = unpacker.unpack(coded.bytes, coded.coding, out);
    REQUIRE_FALSE(unpacked);
    CHECK(unpacked.error().code == errc::protocol);
  }
}

TEST_CASE("a truncated piece is refused", "[wire]") {
  const byte_buffer raw = text(block_bytes);
  block_packer packer;
  const packed coded = packer.pack(raw, 3);
  byte_buffer out(raw.size());
  for (std::size_t size = 0; size < coded.bytes.size(); ++size) {
    block_unpacker unpacker;
    CHECK_FALSE(
        unpacker.unpack(byte_span(coded.bytes).first(size), coded.coding, out));
  }
}

TEST_CASE("garbage is refused or fills the buffer, and never more", "[wire]") {
  byte_buffer out(block_bytes);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    byte_buffer bytes = noise(seed % 200, seed);
    if (bytes.size() > 4 && seed % 2 == 0) {
      store_le(std::uint32_t{0xfd2fb528}, bytes);  // zstd's magic
    }
    block_unpacker unpacker;
    const auto unpacked = unpacker.unpack(bytes, data_coding::streamed, out);
    if (!unpacked) {
      CHECK(unpacked.error().code == errc::protocol);
    }
  }
}

}  // namespace teleport
