// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_thin_dump.cpp: a damaged dump of a thin pool. It must be read
// the same whether it comes in one piece or in two; the first byte says where
// it is cut.

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "libteleport/base/units.hpp"
#include "libteleport/disk/thin_dump_reader.hpp"

namespace {

std::vector<std::uint64_t> extents_in(const teleport::dirty_map& map) {
  std::vector<std::uint64_t> extents;
  for (auto at = map.next_extent(0); at; at = map.next_extent(*at + 1)) {
    extents.push_back(*at);
  }
  return extents;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace teleport;
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  const std::size_t cut = text.size() * data[0] / 256U;
  thin_dump_reader whole(1, 64_MiB);
  whole.feed(text);
  const auto one = whole.finish();
  thin_dump_reader parts(1, 64_MiB);
  parts.feed(text.substr(0, cut));
  parts.feed(text.substr(cut));
  const auto two = parts.finish();
  if (one.has_value() != two.has_value() ||
      (one && extents_in(*one) != extents_in(*two))) {
    std::abort();
  }
  return 0;
}
