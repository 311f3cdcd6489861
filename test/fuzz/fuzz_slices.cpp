// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_slices.cpp: the slices of a hostile peer, on up to four lanes.
// The input is a row of u8 lane, u16 length and the body of a SLICE. What comes
// out must be what went in by its number, without a hole, in order.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>

#include "libteleport/wire/slice_order.hpp"

namespace {

using namespace teleport;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  byte_reader in(std::as_bytes(std::span(data, size)));
  slice_order order;
  std::map<std::uint64_t, byte_buffer> taken;
  std::uint64_t wanted = 0;
  while (!in.done()) {
    const auto lane = in.number<std::uint8_t>();
    const auto length = in.number<std::uint16_t>();
    const byte_span body = in.take(length);
    if (body.size() != length || !order.take(lane % 4U, body)) {
      return 0;
    }
    byte_reader parts(body);
    const auto number = parts.number<std::uint64_t>();
    const byte_span bytes = body.subspan(8);
    require(
        taken.emplace(number, byte_buffer(bytes.begin(), bytes.end())).second);
    while (const auto next = order.next()) {
      require(taken.contains(wanted) && taken[wanted] == *next);
      ++wanted;
    }
    require(!taken.contains(wanted));
    require(std::ranges::any_of(std::array{0U, 1U, 2U, 3U},
                                [&](unsigned i) { return order.may_read(i); }));
  }
  return 0;
}
