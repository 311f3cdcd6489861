// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_framer.cpp: the same bytes in one piece and in pieces of a
// size of the input's own choice must give the same records and the same end.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "libteleport/wire/framer.hpp"

namespace {

struct outcome {
  std::vector<teleport::raw_record> records;
  bool failed = false;
};

void take_all(teleport::framer& from, outcome& into) {
  while (!into.failed) {
    auto record = from.next();
    if (!record) {
      into.failed = true;
      return;
    }
    if (!*record) {
      return;
    }
    into.records.push_back(std::move(**record));
  }
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto all = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t piece = data[0] + std::size_t{1};
  outcome whole;
  teleport::framer in_one;
  in_one.feed(all);
  take_all(in_one, whole);

  outcome parts;
  teleport::framer in_parts;
  for (std::size_t at = 0; at < all.size(); at += piece) {
    in_parts.feed(all.subspan(at, std::min(piece, all.size() - at)));
    take_all(in_parts, parts);
  }
  require(whole.failed == parts.failed);
  require(whole.records.size() == parts.records.size());
  teleport::byte_buffer again;
  for (std::size_t i = 0; i < whole.records.size(); ++i) {
    require(whole.records[i].type == parts.records[i].type);
    require(whole.records[i].body == parts.records[i].body);
    const auto bytes =
        teleport::frame(whole.records[i].type, whole.records[i].body);
    again.insert(again.end(), bytes.begin(), bytes.end());
  }
  require(again.size() <= all.size() &&
          std::equal(again.begin(), again.end(), all.begin()));
  return 0;
}
