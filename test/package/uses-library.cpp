// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/package/uses-library.cpp: a program of somebody else's, compiled against
// the installed library alone.

#include <cstdio>
#include <string>

#include "index/hash_index.hpp"
#include "index/holdings.hpp"
#include "libteleport/net/event_loop.hpp"

/// How much of FILE do the indexed disks hold? Asked on the pool, told in the
/// loop, as the programs do it.
int main(int argc, char** argv) {
  using namespace teleport;
  if (argc != 3) {
    std::fputs("usage: uses-library INDEX FILE\n", stderr);
    return 2;
  }
  const std::string file = argv[2];
  index::hash_index lookup{std::string(argv[1])};
  event_loop loop(1);
  int exit_code = 1;
  loop.work([&] { return index::find_holdings(lookup, file, nullptr); },
            [&](const result<index::holdings>& found) {
              if (found) {
                std::printf("%llu of %llu\n",
                            static_cast<unsigned long long>(found->found),
                            static_cast<unsigned long long>(found->found +
                                                            found->missing));
                exit_code = 0;
              } else {
                std::fprintf(stderr, "%s\n", found.error().context.c_str());
              }
              loop.stop();
            });
  loop.run();
  loop.join();
  return exit_code;
}
