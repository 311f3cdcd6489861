// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/stream_recorder_test.cpp: a guest's memory in a file.

#include "xl-teleport/setup/stream_recorder.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a recorded stream is root's alone to read", "[setup]") {
  const temp_folder folder;
  {
    stream_recorder recorder(folder.path(), "a");
    recorder.add(as_bytes(std::string_view("mem")));
    recorder.add(as_bytes(std::string_view("ory")));
  }
  struct stat about {};
  REQUIRE(::stat((folder / "a").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777U) == 0600U);
  CHECK(content(folder / "a") == "memory");
}

TEST_CASE("a recorded stream is written into no file that is there",
          "[setup]") {
  const temp_folder folder;
  std::ofstream(folder / "mine") << "mine";
  REQUIRE(::symlink("mine", (folder / "link").c_str()) == 0);
  for (const char* name : {"mine", "link"}) {
    stream_recorder recorder(folder.path(), name);
    recorder.add(as_bytes(std::string_view("memory")));
    CHECK(content(folder / "mine") == "mine");
  }
  stream_recorder none("", "b");
  none.add(as_bytes(std::string_view("memory")));
  CHECK(::access((folder / "b").c_str(), F_OK) != 0);
}

}  // namespace teleport
