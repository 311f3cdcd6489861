// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/record_sessions_test.cpp: no test of its own: sessions of the two
// engines, with colliding digests, a lying index and a guest that writes, are
// written down for the independent decoder (test/decoder, test/cli/decoder.sh).
//
// Into the folder RECORD_SESSIONS: SEED.trace, and SEED.N, what disk N holds at
// the end. Form of a trace: test/decoder/trace.py.

#include <cstdlib>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "libteleport/wire/framer.hpp"
#include "test/support/duet.hpp"
#include "test/support/duet_world.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

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

}  // namespace

TEST_CASE("sessions for the decoder", "[.record-sessions]") {
  const char* folder = std::getenv("RECORD_SESSIONS");
  REQUIRE(folder != nullptr);
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
    REQUIRE(both.bulk());
    REQUIRE(both.round(world.take_dirty()));
    both.while_running({});
    REQUIRE(both.round(world.take_dirty()));
    REQUIRE(both.broken().empty());
    const auto disks = world.sources();
    for (std::size_t i = 0; i < disks.size(); ++i) {
      byte_buffer content(disks[i]->size());
      REQUIRE(disks[i]->read_at(0, content));
      std::ofstream file(fmt::format("{}/{}.{}", folder, seed, i));
      put(file, content);
    }
  }
}

}  // namespace teleport
