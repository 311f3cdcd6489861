// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/programs/record-sessions.cpp: sessions of the two engines, with
// colliding digests, a lying index and a guest that writes, are written down
// for the independent decoder (test/decoder, test/cli/decoder.sh).
//
//   record-sessions FOLDER
//
// Into FOLDER: SEED.trace, and SEED.N, what disk N holds at the end. Form of a
// trace: test/decoder/trace.py.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "libteleport/wire/framer.hpp"
#include "test/support/duet.hpp"
#include "test/support/duet_world.hpp"

namespace teleport {

namespace {

/// Ends the program where what must be is not.
void must(bool fine, const char* what) {
  if (!fine) {
    std::cerr << "record-sessions: " << what << " failed\n";
    std::exit(1);
  }
}

void put(std::ofstream& file, const byte_buffer& bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

void put_record(std::ofstream& file,
                bool to_destination,
                const raw_record& record) {
  const byte_buffer framed = frame(record.type, record.body);
  byte_writer head;
  head.number(static_cast<std::uint8_t>(to_destination ? 's' : 'd'));
  head.number(static_cast<std::uint32_t>(framed.size()));
  put(file, std::move(head).take());
  put(file, framed);
}

void record_sessions(const std::string& folder) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    duet_world world(seed, 1 + seed % 3, 12);
    duet both(seed, world.sources(), world.targets(), world.lookup());
    if (seed % 4 == 0) {
      both.know(world.know_some());
    }
    std::ofstream trace(fmt::format("{}/{}.trace", folder, seed));
    both.listen([&](bool to_destination, const raw_record& record) {
      put_record(trace, to_destination, record);
    });
    unsigned calls = 0;
    both.while_running([&] {
      if (++calls % 8 == 0) {
        world.write_somewhere();
      }
    });
    must(both.bulk().has_value(), "bulk");
    must(both.round(world.take_dirty()).has_value(), "round");
    both.while_running({});
    must(both.round(world.take_dirty()).has_value(), "round");
    must(both.broken().empty(), "rules");
    const auto disks = world.sources();
    for (std::size_t i = 0; i < disks.size(); ++i) {
      byte_buffer content(disks[i]->size());
      must(disks[i]->read_at(0, content).has_value(), "read");
      std::ofstream file(fmt::format("{}/{}.{}", folder, seed, i));
      put(file, content);
    }
  }
}

}  // namespace

}  // namespace teleport

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: record-sessions FOLDER\n";
    return 2;
  }
  teleport::record_sessions(argv[1]);
  return 0;
}
