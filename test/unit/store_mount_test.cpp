// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/store_mount.hpp"

#include <filesystem>
#include <fstream>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

using namespace teleport;

namespace {

settings with_store(const temp_folder& folder) {
  settings options;
  options.store.path = folder / "store";
  options.state_path = folder / "state";
  std::filesystem::create_directory(options.store.path);
  std::filesystem::create_directory(options.state_path);
  return options;
}

}  // namespace

TEST_CASE("a store whose mount is missing is refused", "[store_mount]") {
  const store_mount before{"/srv/xen/images", "/srv/xen"};
  CHECK(check_mount(before, before));
  for (const char* now : {"/", "/srv"}) {
    const auto missing = check_mount(before, {"/srv/xen/images", now});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == errc::refused);
    CHECK(missing.error().context.find("mounted at /srv/xen,") !=
          std::string::npos);
  }
}

TEST_CASE("a mount that has come is taken for the store's", "[store_mount]") {
  const store_mount before{"/srv/xen/images", "/srv"};
  CHECK(check_mount(before, {"/srv/xen/images", "/srv/xen"}));
  CHECK(check_mount({"/srv/images", "/"}, {"/srv/images", "/srv/images"}));
  // The name of one is in that of the other, and neither is below the other.
  CHECK(check_mount({"/a", "/srv/xenon"}, {"/a", "/srv/xen"}));
  // Another store has mounts of its own.
  CHECK(check_mount(before, {"/var/lib/xen/images", "/"}));
}

TEST_CASE("where a store is mounted is written down", "[store_mount]") {
  const temp_folder folder;
  const settings options = with_store(folder);
  REQUIRE(open_mounted_store(options));
  CHECK_FALSE(std::filesystem::exists(folder / "state/store-mount"));
  REQUIRE(note_store_mount(options));
  REQUIRE(note_store_mount(options));
  REQUIRE(open_mounted_store(options));

  // As it is where the store was a mount point of its own.
  std::ofstream(folder / "state/store-mount")
      << R"({"mount_point": ")" << folder.path() << R"(/store", "store": ")"
      << folder.path() << R"(/store"})";
  for (const auto& refused :
       {result<void>(note_store_mount(options)),
        result<void>(open_mounted_store(options).error())}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::refused);
    CHECK(refused.error().context.find("run 'rm " + folder.path() +
                                       "/state/store-mount'") !=
          std::string::npos);
  }
}

TEST_CASE("a damaged record of a store's mount lets nothing be filled",
          "[store_mount]") {
  const temp_folder folder;
  const settings options = with_store(folder);
  for (const char* text : {"", "{}", R"({"store": 1, "mount_point": "/"})"}) {
    std::ofstream(folder / "state/store-mount") << text;
    CAPTURE(text);
    CHECK(open_mounted_store(options).error().code == errc::corrupt);
  }
}
