// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/golden_test.cpp: what a released version wrote is read, and what is
// written is what it wrote, byte for byte: the wire's records and the index's
// values. (Streams: stream_filter_test.cpp.)

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "libteleport/wire/framer.hpp"
#include "test/support/catch.hpp"
#include "test/support/golden_records.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

byte_buffer golden_file(const std::string& path) {
  std::ifstream file(path);
  INFO("run from the top of the tree; new files are made by make golden: "
       << path);
  REQUIRE(file.good());
  return test::from_golden({std::istreambuf_iterator<char>(file), {}});
}

}  // namespace

TEST_CASE("each record is written as this version of the wire has it",
          "[golden][wire]") {
  for (const test::golden_record& one : test::golden_records()) {
    INFO(one.name);
    const byte_buffer file =
        golden_file(test::wire_folder() + "/" + one.name + ".hex");
    CHECK(test::to_golden(frame(one.type, one.body)) == test::to_golden(file));
  }
}

TEST_CASE("each record of this version is read, and means the same",
          "[golden][wire]") {
  for (const test::golden_record& one : test::golden_records()) {
    INFO(one.name);
    framer input;
    input.feed(golden_file(test::wire_folder() + "/" + one.name + ".hex"));
    const auto record = input.next();
    REQUIRE(record);
    REQUIRE(record->has_value());
    CHECK((*record)->type == one.type);
    const auto again = one.recode((*record)->body);
    REQUIRE(again);
    CHECK(test::to_golden(*again) == test::to_golden((*record)->body));
  }
}

TEST_CASE("no kind of record is without a golden file", "[golden][wire]") {
  const auto all = test::golden_records();
  for (std::uint16_t type = 0; type < 1000; ++type) {
    const auto found = std::ranges::count(all,
                                          static_cast<record_type>(type),
                                          [](auto& one) { return one.type; });
    INFO("type " << type);
    CHECK(found == (is_known(type) ? 1 : 0));
  }
}

TEST_CASE("each value of the index is written as this format has it, and read",
          "[golden][index]") {
  for (const test::golden_value& one : test::golden_values()) {
    INFO(one.name);
    const byte_buffer file =
        golden_file(test::index_folder() + "/" + one.name + ".hex");
    CHECK(test::to_golden(one.bytes) == test::to_golden(file));
    const auto again = one.recode(file);
    REQUIRE(again);
    CHECK(test::to_golden(*again) == test::to_golden(file));
  }
}

}  // namespace teleport
