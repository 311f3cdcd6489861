// SPDX-License-Identifier: LGPL-2.1-or-later

#include <set>
#include <string>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("SHA-256 of the standard's own example", "[base]") {
  CHECK(to_hex(digest_extent(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a short last block is hashed as if zeros filled it up", "[base]") {
  byte_buffer whole(block_bytes);
  whole[0] = std::byte{7};
  CHECK(digest_block(whole) == digest_block(byte_span(whole).first(512)));
}

TEST_CASE("is_zero sees every single byte", "[base]") {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 100U}) {
    byte_buffer bytes(size);
    CHECK(is_zero(bytes));
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = std::byte{1};
      CHECK_FALSE(is_zero(bytes));
      bytes[i] = std::byte{0};
    }
  }
}

TEST_CASE("a reader never reads past the end and stays failed", "[base]") {
  byte_writer out;
  out.number(std::uint32_t{0x01020304});
  out.counted(as_bytes("hi"));
  const byte_buffer bytes = std::move(out).take();
  byte_reader in(bytes);
  CHECK(in.number<std::uint32_t>() == 0x01020304);
  CHECK(as_text(in.counted(2)) == "hi");
  CHECK(in.done());
  CHECK(in.number<std::uint8_t>() == 0);
  CHECK_FALSE(in.ok());
  byte_reader limited(byte_span(bytes).subspan(4));
  CHECK(limited.counted(1).empty());
  CHECK_FALSE(limited.ok());
}

TEST_CASE("kinds of failure have distinct names", "[base]") {
  std::set<std::string> names;
  for (int i = 1; i <= static_cast<int>(errc::uncertain); ++i) {
    names.insert(std::string(name_of(static_cast<errc>(i))));
  }
  CHECK(names.size() == static_cast<std::size_t>(errc::uncertain));
  CHECK(names.count("unknown") == 0);
}

TEST_CASE("the last extent is as long as the disk's rest", "[base]") {
  const std::uint64_t disk = 3 * extent_bytes + 512;
  CHECK(extents_of(disk) == 4);
  CHECK(extent_length(disk, 2) == extent_bytes);
  CHECK(extent_length(disk, 3) == 512);
}

}  // namespace teleport
