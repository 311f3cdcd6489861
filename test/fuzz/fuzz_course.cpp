// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_course.cpp: any records, and any ends of the steps under way,
// in any order. A course never asserts, and a destination never breaks one of
// its rules: GO once, no permission without GO, no "running" without
// permission, no DISKS_DURABLE without a flush.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "test/support/destination_rules.hpp"

namespace {

/// One byte is one event.
void play(teleport::destination_rules& destination, std::uint8_t byte) {
  constexpr unsigned step_ends = 0x80;
  constexpr unsigned number = 0x3f;
  const bool well = (byte & 0x40U) != 0;
  if ((byte & step_ends) == 0) {
    destination.record(static_cast<teleport::record_type>(byte & number), well);
    return;
  }
  switch (byte & number) {
    case 0:
      destination.lose();
      return;
    case 1:
      destination.lose_xl();
      return;
    default:
      destination.end_step(byte & number, well);
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  teleport::destination_rules destination;
  for (const std::uint8_t byte : std::span(data, size)) {
    play(destination, byte);
    if (!destination.broken().empty()) {
      (void)std::fprintf(stderr, "%s\n", destination.broken().c_str());
      std::abort();
    }
  }
  return 0;
}
