// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/codec_test.cpp: blocks compressed for the link and back.

#include "libteleport/wire/codec.hpp"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "libteleport/base/units.hpp"
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

TEST_CASE("what was packed unpacks to itself", "[wire]") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, 512UL, block_bytes, extent_bytes}) {
    for (const byte_buffer& raw : {noise(size, size), text(size)}) {
      const packed coded = pack(raw, 3);
      CHECK(coded.bytes.size() <= raw.size());
      byte_buffer back(size, std::byte{0x5a});
      REQUIRE(unpack(coded.bytes, coded.compressed, back));
      CHECK(back == raw);
    }
  }
}

TEST_CASE("what does not get smaller is sent as it is", "[wire]") {
  const byte_buffer raw = noise(block_bytes, 1);
  const packed coded = pack(raw, 3);
  CHECK_FALSE(coded.compressed);
  CHECK(coded.bytes == raw);
  CHECK(pack(text(block_bytes), 3).compressed);
}

TEST_CASE("unpack wants exactly the announced size", "[wire]") {
  const byte_buffer raw = text(3 * block_bytes);
  const packed coded = pack(raw, 3);
  REQUIRE(coded.compressed);
  for (const std::size_t wrong :
       {std::size_t{0}, raw.size() - 1, raw.size() + 1, 2 * raw.size()}) {
    byte_buffer out(wrong);
    const auto unpacked = unpack(coded.bytes, true, out);
    REQUIRE_FALSE(unpacked);
    CHECK(unpacked.error().code == errc::protocol);
    CHECK_FALSE(unpack(raw, false, out));
  }
}

TEST_CASE("every truncation of a packed block is refused", "[wire]") {
  const byte_buffer raw = text(block_bytes);
  const packed coded = pack(raw, 3);
  byte_buffer out(raw.size());
  for (std::size_t size = 0; size < coded.bytes.size(); ++size) {
    CHECK_FALSE(unpack(byte_span(coded.bytes).first(size), true, out));
  }
}

TEST_CASE("garbage is refused or fills the buffer, and never more", "[wire]") {
  byte_buffer out(block_bytes);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    byte_buffer bytes = noise(seed % 200, seed);
    if (bytes.size() > 4 && seed % 2 == 0) {
      store_le(std::uint32_t{0xfd2fb528}, bytes);  // zstd's magic
    }
    const auto unpacked = unpack(bytes, true, out);
    if (!unpacked) {
      CHECK(unpacked.error().code == errc::protocol);
    }
  }
}

}  // namespace teleport
