// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_course.cpp: any records, and any ends of the steps under way,
// in any order. A course never asserts, a destination never breaks one of its
// rules (GO once, no permission without GO, no "running" without permission, no
// DISKS_DURABLE without a flush), and a source none of its own (GO once, and
// not before it is journalled; no guest resumed that was given).

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "test/support/destination_rules.hpp"
#include "test/support/source_rules.hpp"

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

void play(teleport::source_rules& source, std::uint8_t byte) {
  constexpr unsigned step_ends = 0x80;
  constexpr unsigned number = 0x3f;
  const bool well = (byte & 0x40U) != 0;
  if ((byte & step_ends) == 0) {
    source.record(static_cast<teleport::record_type>(byte & number), well);
    return;
  }
  switch (byte & number) {
    case 0:
      source.lose();
      return;
    case 1:
      source.save_goes_on(well);
      return;
    case 2:
      source.answer(well ? teleport::destination_fate::running
                         : teleport::destination_fate::abandoned);
      return;
    case 3:
      source.answer(well ? teleport::destination_fate::uncertain
                         : teleport::destination_fate::in_progress);
      return;
    default:
      source.end_step(byte & number, well);
      return;
  }
}

void require_unbroken(const std::string& broken) {
  if (!broken.empty()) {
    (void)std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  teleport::destination_rules destination;
  teleport::source_rules source;
  for (const std::uint8_t byte : std::span(data, size)) {
    play(destination, byte);
    require_unbroken(destination.broken());
    play(source, byte);
    require_unbroken(source.broken());
  }
  return 0;
}
