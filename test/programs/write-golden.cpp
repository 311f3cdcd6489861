// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/programs/write-golden.cpp: `make golden`: writes the golden files that
// are not there yet, from the top of the tree. A file that is there is what a
// released version wrote, and stays: a new version of the wire or of a table
// has another folder, and a new coding of streams another name.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "libteleport/stream/stream_filter.hpp"
#include "libteleport/wire/framer.hpp"
#include "test/support/golden_records.hpp"
#include "test/support/stream_maker.hpp"

namespace {

using namespace teleport;

void write_new(const std::string& path, std::string_view text) {
  if (std::filesystem::exists(path)) {
    return;
  }
  std::filesystem::create_directories(
      std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
  std::cout << path << '\n';
}

void write_stream(test::guest_kind kind, const std::string& name) {
  const byte_buffer stream = test::make_stream(
      {.kind = kind, .pages = 10, .batch = 4, .random_percent = 15});
  write_new("test/golden/stream/v1-" + name + ".libxl", as_text(stream));
}

/// Of each stream, recorded ones (shrink.py) too.
void code_streams() {
  for (const auto& found :
       std::filesystem::directory_iterator("test/golden/stream")) {
    auto path = found.path();
    if (path.extension() != ".libxl") {
      continue;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string stream{std::istreambuf_iterator<char>(file), {}};
    stream_filter filter;
    const auto pieces = filter.feed(as_bytes(stream)).value();
    write_new(path.replace_extension(".coded"),
              as_text(test::join_pieces(pieces)));
  }
}

}  // namespace

int main() {
  if (!std::filesystem::exists("test/golden")) {
    std::cerr << "write-golden: run from the top of the tree\n";
    return 2;
  }
  for (const test::golden_record& one : test::golden_records()) {
    write_new(test::wire_folder() + "/" + one.name + ".hex",
              test::to_golden(frame(one.type, one.body)));
  }
  for (const test::golden_value& one : test::golden_values()) {
    write_new(test::index_folder() + "/" + one.name + ".hex",
              test::to_golden(one.bytes));
  }
  write_stream(test::guest_kind::pv, "pv");
  write_stream(test::guest_kind::pvh, "pvh");
  write_stream(test::guest_kind::hvm, "hvm");
  code_streams();
  return 0;
}
