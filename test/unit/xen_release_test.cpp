// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/xen_release_test.cpp: which Xen a program works with is told.

#include "libteleport/xen/xen_release.hpp"

#include <filesystem>
#include <fstream>

#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("the release of a running Xen is told as Xen has it", "[xen]") {
  const temp_folder folder;
  CHECK(xen_of_host(folder.path()).empty());
  std::filesystem::create_directory(folder / "version");
  const auto write = [&folder](const char* name, const char* text) {
    std::ofstream(folder / name) << text << '\n';
  };
  write("version/major", "4");
  write("version/minor", "17");
  write("version/extra", ".5");
  CHECK(xen_of_host(folder.path()).empty());
  write("type", "kvm");
  CHECK(xen_of_host(folder.path()).empty());
  write("type", "xen");
  CHECK(xen_of_host(folder.path()) == "4.17.5");
}

}  // namespace teleport
