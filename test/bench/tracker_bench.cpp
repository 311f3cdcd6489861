// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/bench/tracker_bench.cpp: tracks a device's writes until its standard
// input ends; test/bench/tracking.sh measures beside it what that costs.
//
//   tracker-bench DEVICE
//
// Prints a line of JSON when the tracker is attached, and one with the writes
// that it has seen at the end. Exit status: 0 done, 1 failed, 2 wrong usage.

#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/dirty_tracker.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tracker-bench DEVICE\n";
    return 2;
  }
  teleport::log_setup("tracker-bench", teleport::log_level::warning);
  const auto tracker = teleport::dirty_tracker::attach(argv[1]);
  if (!tracker) {
    std::cerr << "tracker-bench: " << tracker.error().context << '\n';
    return 1;
  }
  std::cout << "{\"attached\": true}" << std::endl;
  using from_stdin = std::istreambuf_iterator<char>;
  while (from_stdin(std::cin) != from_stdin()) {
  }
  const teleport::tracker_counters seen = (*tracker)->counters();
  std::cout << fmt::format("{{\"writes\": {}, \"missed\": {}}}\n",
                           seen.submitted_writes,
                           seen.missed);
  return 0;
}
